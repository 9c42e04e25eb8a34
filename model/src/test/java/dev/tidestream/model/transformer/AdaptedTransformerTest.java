package dev.tidestream.model.transformer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import dev.tidestream.model.adapter.Adapter;
import dev.tidestream.model.adapter.RandomAdapters;
import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.gguf.GgufFile;
import dev.tidestream.model.kernels.KernelSelection;
import dev.tidestream.model.tensor.Kernels;
import dev.tidestream.model.tensor.KvType;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.transformer.LanguageModel.LogitsRows;
import dev.tidestream.model.transformer.LanguageModel.Slice;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

/** Rows with adapters of every kind and rows without, in one batch: each has the bits that it has alone, in every implementation. */
class AdaptedTransformerTest {
    private static final int LENGTH = 20;
    private static final int ROWS = 64;

    private static int[] tokens(long seed) {
        return new SplittableRandom(seed).ints(LENGTH, 0, 100).toArray();
    }

    /** Logits of all positions, in pieces. */
    private static float[] alone(LanguageModel model, int[] tokens, @Nullable Adapter adapter, int chunk) {
        int vocabulary = model.vocabularySize();
        float[] all = new float[LENGTH * vocabulary];
        float[] some = new float[chunk * vocabulary];
        KvCache cache = TestModels.cache(model, LENGTH);
        for (int from = 0; from < LENGTH; from += chunk) {
            int count = Math.min(chunk, LENGTH - from);
            model.forward(List.of(new Slice(cache, tokens, from, count, LogitsRows.ALL, adapter)), some);
            System.arraycopy(some, 0, all, from * vocabulary, count * vocabulary);
        }
        return all;
    }

    @ParameterizedTest
    @CsvSource({"F32, F32, F32", "Q8_0, F32, F32", "Q8_0, INT8, F32", "Q8_0, INT8, INT8", "Q4_0, INT8, INT8"})
    void shouldHaveTheBitsThatARowHasAlone(TensorFormat format, ActivationPrecision body, ActivationPrecision head) {
        Precision precision = new Precision(body, head, KvType.F32);
        Set<Kernels> all = new LinkedHashSet<>(List.of(KernelSelection.scalar(), KernelSelection.vector(), KernelSelection.fastest()));
        List<float[]> oracle = new ArrayList<>();
        for (Kernels kernels : all) {
            try (GgufFile file = new RandomLlama(format).tame().file();
                    LoadedModel loaded = ModelLoader.load(file, kernels, WorkerTeam.sequential(), ModelLoader.ProgressListener.NONE)) {
                LanguageModel model = loaded.newTransformer(WorkerTeam.sequential(), precision, ROWS);
                List<@Nullable Adapter> adapters = new ArrayList<>(new RandomAdapters(loaded.blueprint(), 3).kinds());
                adapters.add(null);
                List<float[]> expected = new ArrayList<>();
                for (int i = 0; i < adapters.size(); i++) {
                    expected.add(alone(model, tokens(i), adapters.get(i), LENGTH));
                    assertArrayEquals(expected.get(i), alone(model, tokens(i), adapters.get(i), 1), "decoded, adapter=" + i);
                    if (oracle.size() <= i) {
                        oracle.add(expected.get(i));
                        assertFalse(adapters.get(i) != null && Arrays.equals(expected.get(i), alone(model, tokens(i), null, LENGTH)));
                    }
                    assertArrayEquals(oracle.get(i), expected.get(i), kernels.title());
                }
                together(model, adapters, expected);
                adapters.forEach(adapter -> {
                    if (adapter != null) {
                        adapter.close();
                    }
                });
            }
        }
    }

    private static void together(LanguageModel model, List<@Nullable Adapter> adapters, List<float[]> expected) {
        int vocabulary = model.vocabularySize();
        int streams = 3 * adapters.size();
        SplittableRandom random = new SplittableRandom(8);
        List<KvCache> caches = new ArrayList<>();
        for (int i = 0; i < streams; i++) {
            caches.add(TestModels.cache(model, LENGTH));
        }
        int[] done = new int[streams];
        float[] logits = new float[ROWS * vocabulary];
        while (Arrays.stream(done).anyMatch(count -> count < LENGTH)) {
            List<Slice> slices = new ArrayList<>();
            List<Integer> who = new ArrayList<>();
            for (int i = 0; i < streams; i++) {
                int count = Math.min(random.nextInt(5), LENGTH - done[i]);
                if (count > 0) {
                    int adapter = i % adapters.size();
                    slices.add(new Slice(caches.get(i), tokens(adapter), done[i], count, LogitsRows.LAST, adapters.get(adapter)));
                    who.add(i);
                    done[i] += count;
                }
            }
            if (!slices.isEmpty()) {
                model.forward(slices, logits);
                for (int row = 0; row < who.size(); row++) {
                    int i = who.get(row);
                    float[] wanted = expected.get(i % adapters.size());
                    assertArrayEquals(Arrays.copyOfRange(wanted, (done[i] - 1) * vocabulary, done[i] * vocabulary),
                            Arrays.copyOfRange(logits, row * vocabulary, (row + 1) * vocabulary), "stream=" + i);
                }
            }
        }
    }
}
