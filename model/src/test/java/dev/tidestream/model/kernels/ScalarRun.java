package dev.tidestream.model.kernels;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.gguf.GgufFile;
import dev.tidestream.model.sampling.Sampler;
import dev.tidestream.model.sampling.SamplingParams;
import dev.tidestream.model.tensor.Kernels;
import dev.tidestream.model.tensor.KvType;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.transformer.ActivationPrecision;
import dev.tidestream.model.transformer.KvCache;
import dev.tidestream.model.transformer.LanguageModel.LogitsRows;
import dev.tidestream.model.transformer.LanguageModel.Slice;
import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.model.transformer.ModelLoader;
import dev.tidestream.model.transformer.Precision;
import dev.tidestream.model.transformer.RandomLlama;
import dev.tidestream.model.transformer.TestModels;
import dev.tidestream.model.transformer.Transformer;

/** All that is done for a stream, with given kernels: prompts, steps, int8 in body and head, sampling. */
final class ScalarRun {
    private static final int PROMPT = 20;
    private static final int STEPS = 12;
    private static final SamplingParams SAMPLED = new SamplingParams(0.8f, 40, 0.95f, 0.01f, 1.1f, 0, 0, Map.of(), 7, 5);

    private ScalarRun() {}

    /** Prints what the scalar kernels make of it, a line per model; with an argument, what the fastest make of it. */
    public static void main(String[] args) {
        lines(args.length == 0 ? KernelSelection.scalar() : KernelSelection.fastest()).forEach(System.out::println);
    }

    /** Tokens and bits of logits, a line per model. */
    static List<String> lines(Kernels kernels) {
        List<String> lines = new ArrayList<>();
        for (TensorFormat format : List.of(
                TensorFormat.F32, TensorFormat.F16, TensorFormat.Q8_0, TensorFormat.Q4_0, TensorFormat.Q4_1)) {
            for (boolean untied : new boolean[] {false, true}) {
                RandomLlama model = untied ? new RandomLlama(format).tame().untied() : new RandomLlama(format).tame();
                try (GgufFile file = model.file();
                        LoadedModel loaded = ModelLoader.load(file, kernels, WorkerTeam.sequential(),
                                ModelLoader.ProgressListener.NONE)) {
                    lines.add("%s, untied=%b: %s".formatted(format, untied, run(loaded)));
                }
            }
        }
        return lines;
    }

    private static String run(LoadedModel loaded) {
        Precision precision = new Precision(ActivationPrecision.INT8, ActivationPrecision.INT8, KvType.F16);
        Transformer model = loaded.newTransformer(WorkerTeam.sequential(), precision, PROMPT);
        int[] prompt = new SplittableRandom(3).ints(PROMPT, 0, model.vocabularySize()).toArray();
        KvCache cache = TestModels.cache(model, PROMPT + STEPS);
        Sampler sampler = new Sampler(model.kernels(), SAMPLED, model.vocabularySize(), prompt);
        float[] logits = new float[model.vocabularySize()];
        int[] next = prompt;
        int[] tokens = new int[STEPS];
        int bits = 1;
        for (int i = 0; i < STEPS; i++) {
            model.forward(List.of(new Slice(cache, next, 0, next.length, LogitsRows.LAST)), logits);
            bits = 31 * bits + Arrays.hashCode(logits);
            tokens[i] = sampler.sample(logits, 0).token();
            next = new int[] {tokens[i]};
        }
        return Arrays.toString(tokens) + " " + Integer.toHexString(bits);
    }
}
