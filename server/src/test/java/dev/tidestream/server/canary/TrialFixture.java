package dev.tidestream.server.canary;

import java.time.InstantSource;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.function.Function;

import reactor.core.publisher.Flux;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.gguf.GgufFile;
import dev.tidestream.model.kernels.KernelSelection;
import dev.tidestream.model.tensor.KvType;
import dev.tidestream.model.tensor.WeightTensor;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.transformer.ActivationPrecision;
import dev.tidestream.model.transformer.LanguageModel;
import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.model.transformer.ModelLoader;
import dev.tidestream.model.transformer.OwnedTensor;
import dev.tidestream.model.transformer.Precision;
import dev.tidestream.model.transformer.RandomLlama;
import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.protocol.SamplingOptions;
import dev.tidestream.protocol.WeightsPolicy;
import dev.tidestream.server.FakeTokenizer;
import dev.tidestream.server.engine.EngineConfig;
import dev.tidestream.server.engine.GenerateRequest;
import dev.tidestream.server.engine.TokenEngine;
import dev.tidestream.server.engine.TokenEvent;
import dev.tidestream.server.epoch.CurrentEpoch;
import dev.tidestream.server.epoch.Lease;
import dev.tidestream.server.epoch.ModelEpoch;
import dev.tidestream.server.scheduler.StreamEnd;
import dev.tidestream.server.scheduler.TokenObserver;
import dev.tidestream.server.scheduler.probe.LogitsProbe;

/** A running engine over a small model with random weights, and another version of it, number 2, that is held. */
final class TrialFixture implements AutoCloseable {
    static final int VOCABULARY = 100;
    private static final Precision PRECISION = Precision.withExactHead(ActivationPrecision.F32, KvType.F32);

    final CurrentEpoch epochs;
    final Trials trials;
    private final GgufFile file;
    private final TokenEngine engine;

    /** @param norm what version 2 multiplies the input of its first layer with */
    TrialFixture(ShadowLimits limits, float norm) {
        file = new RandomLlama(TensorFormat.Q8_0).file();
        LoadedModel first = ModelLoader.load(file, KernelSelection.fastest(), WorkerTeam.sequential(), ModelLoader.ProgressListener.NONE);
        epochs = new CurrentEpoch(ModelEpoch.of(1, first, TrialFixture::forward));
        float[] weights = new float[64];
        Arrays.fill(weights, norm);
        epochs.hold(ModelEpoch.of(2, first.successor(Map.of("blk.0.attn_norm.weight",
                new OwnedTensor(new WeightTensor.Vector(TensorFormat.F32, weights), () -> { })), null), TrialFixture::forward));
        trials = Trials.over(epochs, TrialFixture::forward, limits, Runnable::run, InstantSource.system());
        engine = TokenEngine.start(EngineConfig.DEFAULT.withKvMemoryBytes(4 << 20), new FakeTokenizer() {
            @Override
            public boolean isEndOfGeneration(int id) {
                return false;
            }
        }, epochs, observer());
    }

    static LanguageModel forward(LoadedModel model) {
        return model.newTransformer(WorkerTeam.sequential(), PRECISION, 32);
    }

    private TokenObserver observer() {
        Function<StreamEnd, Boolean> failed = end -> end.code() == ErrorCode.INTERNAL;
        return new TokenObserver() {
            @Override
            public void firstToken(long nanos) {}

            @Override
            public void nextToken(long nanos) {}

            @Override
            public void stepped(long nanos, int rows, int decodedRows) {}

            @Override
            public void ended(StreamEnd end) {
                trials.ended(end.stream(), end.weightsVersion(), failed.apply(end));
            }

            @Override
            public LogitsProbe logits() {
                return trials;
            }
        };
    }

    Lease lease(long version) {
        return epochs.lease(version).orElseThrow();
    }

    /** A stream with log-probabilities. */
    @SuppressWarnings("NullAway") // reads "int @Nullable []" from a class file as not null
    Flux<TokenEvent> stream(int[] prompt, int maxTokens, long seed, float temperature) {
        SamplingOptions sampling = new SamplingOptions(temperature, 0, 1f, 0f, 1f, 0f, 0f, Map.of(), OptionalLong.of(seed));
        return engine.generate(new GenerateRequest(null, prompt, maxTokens, sampling, List.of(), 0, WeightsPolicy.PIN)).events();
    }

    /** Its tokens. */
    List<TokenEvent.Token> tokens(int[] prompt, int maxTokens, long seed, float temperature) {
        return stream(prompt, maxTokens, seed, temperature).ofType(TokenEvent.Token.class).collectList().blockOptional().orElseThrow();
    }

    static int[] prompt(int length, int first) {
        int[] tokens = new int[length];
        for (int i = 0; i < length; i++) {
            tokens[i] = (first + 7 * i) % VOCABULARY;
        }
        return tokens;
    }

    @Override
    public void close() {
        engine.close();
        trials.close();
        epochs.close();
        file.close();
    }
}
