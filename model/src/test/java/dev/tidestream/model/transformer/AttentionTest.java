package dev.tidestream.model.transformer;

import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import dev.tidestream.model.architecture.AttentionPlan;
import dev.tidestream.model.architecture.Blueprint;
import dev.tidestream.model.architecture.FeedForwardPlan;
import dev.tidestream.model.architecture.LayerPlan;
import dev.tidestream.model.architecture.NormSpec;
import dev.tidestream.model.architecture.Rotation;
import dev.tidestream.model.kernels.KernelSelection;
import dev.tidestream.model.tensor.ActivationFunction;
import dev.tidestream.model.tensor.Kernels;
import dev.tidestream.model.tensor.KvType;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.transformer.LanguageModel.LogitsRows;
import dev.tidestream.model.transformer.LanguageModel.Slice;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Tiles, threads and pieces of a prompt leave no trace; what is not finite does. Six heads of 16 share two key/value heads. */
class AttentionTest {
    private static final Rotation ROTATION = new Rotation(Rotation.Pairing.INTERLEAVED, 16, 10_000f, 1f, false);
    private static final LayerPlan LAYER = new LayerPlan(new NormSpec.Rms(1e-5f), AttentionPlan.of(6, 2, 16, ROTATION),
            FeedForwardPlan.gated(128, ActivationFunction.SILU));
    private static final Blueprint BLUEPRINT =
            new Blueprint("test", "test", 100, 64, 1024, 0, 1, List.of(LAYER, LAYER), new NormSpec.Rms(1e-5f), true, 0);
    private static final int WIDTH = 6 * 16;
    private static final int KV_WIDTH = 2 * 16;
    private static final int ROW = WIDTH + 2 * KV_WIDTH;
    private static final long SEED = 7;
    /** The portable ones, and those that are served. */
    private static final List<Kernels> KERNELS = List.of(KernelSelection.vector(), KernelSelection.fastest());

    @ParameterizedTest
    @EnumSource(KvType.class)
    void shouldGiveTheSameBitsInAnyPiecesOnAnyThreads(KvType type) {
        float[] expected = run(type, KernelSelection.scalar(), WorkerTeam.sequential(), 600, 1);
        for (Kernels kernels : KERNELS) {
            for (int chunk : new int[] {1, 2, 7, 33, 250}) {
                String what = kernels.title() + ", chunk=" + chunk;
                assertArrayEquals(expected, run(type, kernels, WorkerTeam.sequential(), 600, chunk), what);
                assertArrayEquals(expected, run(type, kernels, new PoolTeam(), 600, chunk), "threads, " + what);
            }
        }
    }

    private static ForwardScratch scratch() {
        ForwardScratch scratch = new ForwardScratch(BLUEPRINT, 256);
        scratch.require(256);
        return scratch;
    }

    /** Outputs of layer 1 of all positions, (n, WIDTH): a prompt in pieces. */
    private static float[] run(KvType type, Kernels kernels, WorkerTeam team, int n, int chunk) {
        ForwardScratch scratch = scratch();
        Attention attention = attention(kernels, team, scratch);
        KvCache cache = cache(type, n);
        float[] out = new float[n * WIDTH];
        for (int from = 0; from < n; from += chunk) {
            int count = Math.min(chunk, n - from);
            attention.begin(List.of(slice(cache, count)), count);
            for (int i = 0; i < count; i++) {
                fill(scratch, i, from + i);
            }
            attention.attend(1, count, scratch.attended);
            System.arraycopy(scratch.attended.values(), 0, out, from * WIDTH, count * WIDTH);
            cache.advance(count);
        }
        return out;
    }

    @Test
    void shouldMixPromptsAndDecodedRows() {
        KERNELS.forEach(AttentionTest::assertMixed);
    }

    private static void assertMixed(Kernels kernels) {
        ForwardScratch scratch = scratch();
        Attention attention = attention(kernels, new PoolTeam(), scratch);
        float[] expected = run(KvType.F16, KernelSelection.scalar(), WorkerTeam.sequential(), 80, 80);
        KvCache first = cache(KvType.F16, 128);
        KvCache second = cache(KvType.F16, 128);
        attend(attention, scratch, List.of(slice(first, 40)), 0);
        first.advance(40);
        float[] out = attend(attention, scratch, List.of(slice(first, 1), slice(second, 33)), 40, 0);
        assertArrayEquals(Arrays.copyOfRange(expected, 40 * WIDTH, 41 * WIDTH), Arrays.copyOf(out, WIDTH));
        assertArrayEquals(Arrays.copyOf(expected, 33 * WIDTH), Arrays.copyOfRange(out, WIDTH, 34 * WIDTH));
    }

    @ParameterizedTest
    @EnumSource(KvType.class)
    void shouldLetNobodyOverlookWhatIsNotFinite(KvType type) {
        KERNELS.forEach(kernels -> assertNotOverlooked(type, kernels));
    }

    private static void assertNotOverlooked(KvType type, Kernels kernels) {
        ForwardScratch scratch = scratch();
        Attention attention = attention(kernels, WorkerTeam.sequential(), scratch);
        KvCache cache = cache(type, 128);
        attention.begin(List.of(slice(cache, 10)), 10);
        for (int i = 0; i < 10; i++) {
            fill(scratch, i, i);
        }
        scratch.queryKeyValue[6 * ROW + WIDTH + KV_WIDTH + 3] = Float.POSITIVE_INFINITY;
        attention.attend(1, 10, scratch.attended);
        for (int i = 0; i < 10 * WIDTH; i++) {
            assertEquals(i >= 6 * WIDTH, Float.isNaN(scratch.attended.values()[i]), "i=" + i);
        }
        cache.advance(10);
        assertTrue(Float.isNaN(attend(attention, scratch, List.of(slice(cache, 1)), 10)[0]), "a later pass");
        cache.truncate(6);
        float[] out = attend(attention, scratch, List.of(slice(cache, 2)), 6);
        assertArrayEquals(Arrays.copyOfRange(run(type, KernelSelection.scalar(), WorkerTeam.sequential(), 8, 8), 6 * WIDTH, 8 * WIDTH),
                Arrays.copyOf(out, 2 * WIDTH), "forgotten");
        cache.advance(2);
        attention.begin(List.of(slice(cache, 1)), 1);
        fill(scratch, 0, 8);
        scratch.queryKeyValue[WIDTH + 1] = Float.NaN;
        attention.attend(1, 1, scratch.attended);
        assertTrue(Float.isNaN(scratch.attended.values()[0]), "a decoded row sees its own");
        assertTrue(cache.poisoned(9));
        assertFalse(cache.poisoned(8));
        assertFalse(Float.isNaN(attend(attention, scratch, List.of(slice(cache, 2)), 8)[0]), "computed anew");
    }

    /** Runs layer 1 on rows that are filled as for these first positions, slice by slice. */
    private static float[] attend(Attention attention, ForwardScratch scratch, List<Slice> slices, int... firstPositions) {
        int rows = slices.stream().mapToInt(Slice::count).sum();
        attention.begin(slices, rows);
        int row = 0;
        for (int s = 0; s < slices.size(); s++) {
            for (int i = 0; i < slices.get(s).count(); i++) {
                fill(scratch, row++, firstPositions[s] + i);
            }
        }
        attention.attend(1, rows, scratch.attended);
        return scratch.attended.values();
    }

    private static Attention attention(Kernels kernels, WorkerTeam team, ForwardScratch scratch) {
        return new Attention(BLUEPRINT, List.of(new RotaryEmbedding(ROTATION, new float[0])), Collections.nCopies(2, Optional.empty()),
                kernels, team, scratch);
    }

    private static void fill(ForwardScratch scratch, int row, int position) {
        SplittableRandom random = new SplittableRandom(SEED + position);
        for (int i = 0; i < WIDTH; i++) {
            scratch.queryKeyValue[row * ROW + i] = (float) random.nextGaussian() * 3;
        }
        for (int i = WIDTH; i < WIDTH + KV_WIDTH; i++) {
            scratch.queryKeyValue[row * ROW + i] = (float) random.nextGaussian();
            scratch.queryKeyValue[row * ROW + KV_WIDTH + i] = (float) random.nextGaussian();
        }
    }

    private static KvCache cache(KvType type, int positions) {
        KvCacheShape shape = KvCacheShape.of(BLUEPRINT, type, positions);
        return new KvCache(shape, positions, IntStream.range(0, shape.blocksFor(positions))
                .mapToObj(i -> Arena.ofAuto().allocate(shape.blockBytes(), 64).fill((byte) 0xff)).toList());
    }

    private static Slice slice(KvCache cache, int count) {
        return new Slice(cache, new int[count], 0, count, LogitsRows.NONE);
    }

    /** Every item a task of its own, in any order. */
    private static final class PoolTeam implements WorkerTeam {
        @Override
        public int size() {
            return 4;
        }

        @Override
        public void forEachRange(int items, int grain, RangeTask task) {
            IntStream.range(0, Math.ceilDiv(items, grain)).parallel()
                    .forEach(i -> task.run(i * grain, Math.min(items, (i + 1) * grain)));
        }
    }
}
