package dev.tidestream.server.engine;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;

import org.reactivestreams.Subscription;
import reactor.core.publisher.BaseSubscriber;

import dev.tidestream.model.tied.HeadMode;
import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.protocol.SamplingOptions;
import dev.tidestream.protocol.WeightsPolicy;
import dev.tidestream.server.FakeLanguageModel;
import dev.tidestream.server.FakeTokenizer;
import dev.tidestream.server.engine.TokenEvent.Token;
import dev.tidestream.server.epoch.CurrentEpoch;
import dev.tidestream.server.epoch.ModelEpoch;
import dev.tidestream.server.scheduler.QueueLimits;
import dev.tidestream.server.scheduler.StallLimits;

import static org.junit.jupiter.api.Assertions.assertInstanceOf;

/** An engine over a model that is none, worked by hand; what tests of it have in common. */
abstract class EngineFixture {
    static final Duration PATIENCE = Duration.ofSeconds(60);
    static final EngineConfig CONFIG =
            new EngineConfig(4, 4, 1 << 20, 8, 0, new PromptLimits(2, 64, 1 << 20, 1 << 20), new QueueLimits(4, 1 << 20),
                    new StallLimits(4, 1 << 20, TimeUnit.SECONDS.toNanos(60)));
    static final SamplingOptions GREEDY =
            new SamplingOptions(0f, 0, 1f, 0f, 1f, 0f, 0f, Map.of(), OptionalLong.of(7));

    final FakeLanguageModel model = new FakeLanguageModel(128, 32, 1);
    final CurrentEpoch epochs = new CurrentEpoch(new ModelEpoch(3, HeadMode.PACKED, model, () -> { }));
    long nowNs;

    TokenEngine manualEngine() {
        return new TokenEngine(CONFIG, new FakeTokenizer(), epochs, () -> nowNs, () -> -1L, Runnable::run);
    }

    @SuppressWarnings("NullAway") // reads "int @Nullable []" from a class file as not null
    static GenerateRequest request(String prompt, int maxTokens) {
        return new GenerateRequest(prompt, null, maxTokens, GREEDY, List.of(), 0, WeightsPolicy.PIN);
    }

    /** Keeps what it gets; asks for nothing by itself. */
    static final class Recorder extends BaseSubscriber<TokenEvent> {
        final List<TokenEvent> events = new ArrayList<>();
        final List<Throwable> errors = new ArrayList<>();
        boolean completed;

        @Override
        protected void hookOnSubscribe(Subscription subscription) { }

        @Override
        protected void hookOnNext(TokenEvent event) {
            events.add(event);
        }

        @Override
        protected void hookOnComplete() {
            completed = true;
        }

        @Override
        protected void hookOnError(Throwable error) {
            errors.add(error);
        }

        ErrorCode code() {
            return assertInstanceOf(EngineException.class, errors.getFirst()).code();
        }
    }

    static Recorder subscribe(Engine engine, GenerateRequest request) {
        Recorder recorder = new Recorder();
        engine.generate(request).events().subscribe(recorder);
        return recorder;
    }

    static void work(TokenEngine engine) {
        int idle = 0;
        while (idle < 2) {
            idle = engine.loop().doWork() == 0 ? idle + 1 : 0;
        }
    }

    static List<Integer> tokens(Recorder recorder) {
        return recorder.events.stream().filter(Token.class::isInstance).map(e -> ((Token) e).token()).toList();
    }

    static GenerateRequest tokenRequest(SamplingOptions sampling, int... tokens) {
        return new GenerateRequest(null, tokens, 1, sampling, List.of(), -1, WeightsPolicy.PIN);
    }
}
