package dev.tidestream.model.transformer;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

import dev.tidestream.model.SharedData;
import dev.tidestream.model.gguf.GgufFile;
import dev.tidestream.model.tensor.Kernels;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.transformer.LanguageModel.LogitsRows;
import dev.tidestream.model.transformer.LanguageModel.Slice;

/** Real models from {@code shared}, and the plain loop around a forward pass. */
public final class TestModels {
    private TestModels() {}

    /** Loads a model of {@code shared}; skips the test if it is not there. */
    public static LoadedModel load(String relative, Kernels kernels) {
        try (GgufFile file = GgufFile.open(SharedData.path(relative))) {
            return ModelLoader.load(file, kernels, WorkerTeam.sequential(), ModelLoader.ProgressListener.NONE);
        }
    }

    /** A cache for so many positions; its memory goes with the garbage. */
    public static KvCache cache(LanguageModel model, int positions) {
        KvCacheShape shape = model.kvCacheShape();
        List<MemorySegment> blocks = new ArrayList<>();
        for (int i = 0; i < shape.blocksFor(positions); i++) {
            blocks.add(Arena.ofAuto().allocate(shape.blockBytes(), 64));
        }
        return new KvCache(shape, positions, blocks);
    }

    /** Logits of all positions, {@code (n, V)}, in passes of {@code chunk} tokens. */
    public static float[] logits(LanguageModel model, int[] tokens, int chunk) {
        int vocabularySize = model.vocabularySize();
        float[] all = new float[tokens.length * vocabularySize];
        float[] part = new float[chunk * vocabularySize];
        KvCache cache = cache(model, tokens.length);
        for (int from = 0; from < tokens.length; from += chunk) {
            int count = Math.min(chunk, tokens.length - from);
            int rows = model.forward(List.of(new Slice(cache, tokens, from, count, LogitsRows.ALL)), part);
            System.arraycopy(part, 0, all, from * vocabularySize, rows * vocabularySize);
        }
        return all;
    }

    /** Greedy continuation. */
    public static int[] greedy(LanguageModel model, int[] prompt, int count) {
        KvCache cache = cache(model, prompt.length + count);
        float[] logits = new float[model.vocabularySize()];
        int[] out = new int[count];
        int[] next = prompt;
        for (int i = 0; i < count; i++) {
            model.forward(List.of(new Slice(cache, next, 0, next.length, LogitsRows.LAST)), logits);
            out[i] = argmax(logits, 0, logits.length);
            next = new int[] {out[i]};
        }
        return out;
    }

    /** The lowest index of the largest of {@code length} values. */
    public static int argmax(float[] values, int offset, int length) {
        int best = 0;
        for (int i = 1; i < length; i++) {
            if (values[offset + i] > values[offset + best]) {
                best = i;
            }
        }
        return best;
    }
}
