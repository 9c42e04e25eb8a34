package dev.tidestream.server.engine;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.reactivestreams.Publisher;
import org.reactivestreams.tck.PublisherVerification;
import org.reactivestreams.tck.TestEnvironment;
import org.testng.SkipException;

import dev.tidestream.model.tied.HeadMode;
import dev.tidestream.protocol.SamplingOptions;
import dev.tidestream.protocol.WeightsPolicy;
import dev.tidestream.server.FakeLanguageModel;
import dev.tidestream.server.FakeTokenizer;
import dev.tidestream.server.epoch.CurrentEpoch;
import dev.tidestream.server.epoch.ModelEpoch;
import dev.tidestream.server.scheduler.QueueLimits;
import dev.tidestream.server.scheduler.StallLimits;
import dev.tidestream.server.scheduler.TokenObserver;

/**
 * The Reactive Streams TCK over a running engine: a stream of n tokens, {@code accepted} left out (which is the one event that
 * cannot be absent, so there are no empty streams to verify).
 */
class TokenStreamTckTest {
    private static final int CONTEXT = 256;
    private static final int MOST_TOKENS = 200;
    private static final SamplingOptions NEVER_ENDING =
            new SamplingOptions(0f, 0, 1f, 0f, 1f, 0f, 0f, Map.of(0, -100f), OptionalLong.of(1));

    private final CurrentEpoch epochs =
            new CurrentEpoch(new ModelEpoch(1, HeadMode.PACKED, new FakeLanguageModel(CONTEXT, 32, 1), () -> { }));
    private final TokenEngine engine = TokenEngine.start(
            new EngineConfig(32, 32, 64 << 20, 8, 0, new PromptLimits(64, 1024, 1 << 20, 1 << 20), new QueueLimits(64, 1 << 20),
                    new StallLimits(64, 1 << 20, TimeUnit.SECONDS.toNanos(60))),
            new FakeTokenizer(), epochs, TokenObserver.NONE);

    @AfterEach
    void close() {
        engine.close();
        epochs.close();
    }

    @TestFactory
    Stream<DynamicTest> shouldKeepTheRulesOfReactiveStreams() {
        return Arrays.stream(PublisherVerification.class.getMethods())
                .filter(method -> method.isAnnotationPresent(org.testng.annotations.Test.class))
                .filter(method -> !method.getName().startsWith("untested")) // the TCK's list of what cannot be tested
                .sorted(Comparator.comparing(Method::getName))
                .map(method -> DynamicTest.dynamicTest(method.getName(), () -> verify(method)));
    }

    private void verify(Method rule) throws Throwable {
        Verification verification = new Verification();
        verification.setUp();
        try {
            rule.invoke(verification);
        } catch (InvocationTargetException e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            Assumptions.assumeFalse(cause instanceof SkipException, () -> "not for this publisher: " + cause.getMessage());
            throw cause;
        }
    }

    private final class Verification extends PublisherVerification<TokenEvent> {
        Verification() {
            super(new TestEnvironment(20_000, 100, 100)); // ms: until a signal is missed, without any, between two looks
        }

        @Override
        public Publisher<TokenEvent> createPublisher(long tokens) {
            if (tokens == 0) {
                throw new SkipException("a stream has at least one token");
            }
            int[] prompt = {5};
            return engine.generate(new GenerateRequest(
                            null, prompt, (int) Math.min(MOST_TOKENS, tokens), NEVER_ENDING, List.of(), -1, WeightsPolicy.PIN))
                    .events().skip(1);
        }

        @Override
        public Publisher<TokenEvent> createFailedPublisher() {
            int[] tooLong = new int[CONTEXT];
            Arrays.fill(tooLong, 5);
            return engine.generate(
                    new GenerateRequest(null, tooLong, 1, NEVER_ENDING, List.of(), -1, WeightsPolicy.PIN)).events();
        }

        @Override
        public long maxElementsFromPublisher() {
            return MOST_TOKENS;
        }
    }
}
