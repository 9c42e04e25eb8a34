package dev.tidestream.server.engine;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Random;
import java.util.stream.Collectors;

import dev.tidestream.model.SharedData;
import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.gguf.GgufFile;
import dev.tidestream.model.kernels.KernelSelection;
import dev.tidestream.model.tensor.Kernels;
import dev.tidestream.model.tensor.KvType;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.tied.HeadMode;
import dev.tidestream.model.transformer.ActivationPrecision;
import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.model.transformer.ModelLoader;
import dev.tidestream.model.transformer.Precision;
import dev.tidestream.model.transformer.RandomLlama;
import dev.tidestream.protocol.SamplingOptions;
import dev.tidestream.protocol.WeightsPolicy;
import dev.tidestream.server.FakeTokenizer;
import dev.tidestream.server.epoch.CurrentEpoch;
import dev.tidestream.server.epoch.ModelEpoch;
import dev.tidestream.server.scheduler.QueueLimits;
import dev.tidestream.server.scheduler.StallLimits;

/**
 * A node of a cluster of one: a model and kernels of some kind, which begins streams and goes on with those of others. As a program it
 * does so for whoever writes lines to it, with the portable kernels of the width that its process was started with.
 */
final class MixedMachine implements AutoCloseable {
    static final int MODELS = 2;
    static final int PLANS = 2;
    static final int TOKENS = 21;
    private static final long VERSION = 3;
    private static final int TOP = 3;

    private final LoadedModel loaded;
    private final CurrentEpoch epochs;
    private final TokenEngine engine;
    private final int vocabulary;

    /** @param model 0: stories260K with floats; 1: random weights in Q4_0 with int8 activations */
    MixedMachine(int model, Kernels kernels) {
        try (GgufFile file = model == 0 ? GgufFile.open(SharedData.path("models/stories260K/stories260K.gguf"))
                : new RandomLlama(TensorFormat.Q4_0).tame().file()) {
            loaded = ModelLoader.load(file, kernels, WorkerTeam.sequential(), ModelLoader.ProgressListener.NONE);
        }
        Precision precision = Precision.withExactHead(model == 0 ? ActivationPrecision.F32 : ActivationPrecision.INT8, KvType.F16);
        epochs = new CurrentEpoch(new ModelEpoch(
                VERSION, HeadMode.PACKED, loaded.newTransformer(WorkerTeam.sequential(), precision, 24), () -> { }));
        EngineConfig config = new EngineConfig(4, 4, 8 << 20, 8, 0, new PromptLimits(4, 1 << 10, 1 << 20, 1 << 20),
                new QueueLimits(4, 1 << 20), new StallLimits(4, 1 << 20, Long.MAX_VALUE / 4));
        vocabulary = loaded.blueprint().vocabularySize();
        engine = new TokenEngine(config, new NoText(vocabulary), epochs, () -> 0, () -> -1L, Runnable::run);
    }

    /** Any token, none of them the end. */
    private static final class NoText extends FakeTokenizer {
        private final int size;

        NoText(int size) {
            this.size = size;
        }

        @Override
        public int vocabularySize() {
            return size;
        }

        @Override
        public String decode(int[] ids) {
            return "";
        }

        @Override
        public boolean isEndOfGeneration(int id) {
            return false;
        }
    }

    /**
     * Tokens of a stream, from one on: {@code ID:LOGPROB:TOP…}, numbers with all their bits.
     *
     * @param plan prompt and sampling by their number
     * @param generated its tokens so far, of whichever machine
     * @param count how many more
     */
    List<String> tokens(int plan, int[] generated, int count) {
        GenerateRequest request = request(plan);
        long seed = request.sampling().seed().orElseThrow();
        EngineFixture.Recorder recorder = EngineFixture.subscribe(
                engine, generated.length == 0 ? request : request.continued(seed, new Continuation(generated, VERSION)));
        recorder.request(1 + count); // accepted, too
        EngineFixture.work(engine);
        recorder.cancel();
        EngineFixture.work(engine);
        if (!recorder.errors.isEmpty()) {
            throw new AssertionError("plan=%d, generated=%d".formatted(plan, generated.length), recorder.errors.getFirst());
        }
        return recorder.events.stream().filter(TokenEvent.Token.class::isInstance).map(e -> text((TokenEvent.Token) e)).toList();
    }

    private static String text(TokenEvent.Token token) {
        String top = token.topLogprobs().stream().map(t -> t.token() + "=" + bits(t.logprob())).collect(Collectors.joining(","));
        Float own = token.logprob();
        return token.token() + ":" + (own == null ? "" : bits(own)) + ":" + top;
    }

    private static String bits(float value) {
        return Integer.toHexString(Float.floatToRawIntBits(value));
    }

    /** 0: the likeliest tokens; else at random, with all that sampling has. */
    private GenerateRequest request(int plan) {
        Random random = new Random(plan);
        int[] prompt = random.ints(20 + 10 * plan, 3, Math.min(100, vocabulary)).toArray();
        OptionalLong seed = OptionalLong.of(100 + plan);
        SamplingOptions sampling = plan == 0 ? new SamplingOptions(0f, 0, 1f, 0f, 1f, 0f, 0f, Map.of(), seed)
                : new SamplingOptions(0.8f, 30, 0.95f, 0.01f, 1.1f, 0.1f, 0.2f, Map.of(5, -1f), seed);
        return new GenerateRequest(null, prompt, TOKENS + 1, sampling, List.of(), TOP, WeightsPolicy.PIN);
    }

    static int id(String token) {
        return Integer.parseInt(token.substring(0, token.indexOf(':')));
    }

    static int[] ids(List<String> tokens) {
        return tokens.stream().mapToInt(MixedMachine::id).toArray();
    }

    @Override
    public void close() {
        engine.close();
        epochs.close();
        loaded.close();
    }

    /** Lines {@code MODEL PLAN COUNT ID ID …}; each is answered with one of tokens. */
    public static void main(String[] args) throws IOException {
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.US_ASCII);
        List<MixedMachine> machines = new ArrayList<>();
        for (int model = 0; model < MODELS; model++) {
            machines.add(new MixedMachine(model, KernelSelection.vector()));
        }
        out.println(KernelSelection.vector().title());
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            int[] numbers = Arrays.stream(line.split(" ")).mapToInt(Integer::parseInt).toArray();
            out.println(String.join(" ", machines.get(numbers[0])
                    .tokens(numbers[1], Arrays.copyOfRange(numbers, 3, numbers.length), numbers[2])));
        }
        machines.forEach(MixedMachine::close);
    }
}
