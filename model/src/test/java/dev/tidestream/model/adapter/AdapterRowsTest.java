package dev.tidestream.model.adapter;

import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

import dev.tidestream.model.adapter.AdapterRows.Output;
import dev.tidestream.model.architecture.Blueprint;
import dev.tidestream.model.architecture.TensorRole;
import dev.tidestream.model.architecture.family.Architectures;
import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.kernels.KernelSelection;
import dev.tidestream.model.tensor.Activations;
import dev.tidestream.model.tensor.Fma;
import dev.tidestream.model.tensor.Kernels;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.transformer.RandomLlama;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** What adapters add, against its specification one element at a time: every kernel, every format, any rows. */
class AdapterRowsTest {
    private static final Blueprint BLUEPRINT = Architectures.plan(new RandomLlama(TensorFormat.F32).file()).tensors().blueprint();
    private static final int HIDDEN = BLUEPRINT.hiddenSize();
    private static final int ROWS = 77;

    static Stream<Arguments> kernels() {
        Set<Kernels> all = new LinkedHashSet<>(List.of(KernelSelection.scalar(), KernelSelection.vector(), KernelSelection.fastest()));
        return all.stream().flatMap(kernels -> Stream.of(TensorFormat.F32, TensorFormat.F16, TensorFormat.BF16)
                .flatMap(format -> Stream.of(WorkerTeam.sequential(), new ParallelTeam())
                        .map(team -> Arguments.of(kernels, format, team))));
    }

    private static final class ParallelTeam implements WorkerTeam {
        @Override
        public int size() {
            return 2;
        }

        @Override
        public void forEachRange(int items, int grain, RangeTask task) {
            IntStream.range(0, Math.ceilDiv(items, grain)).parallel()
                    .forEach(i -> task.run(i * grain, Math.min(items, (i + 1) * grain)));
        }
    }

    private static float[] random(int length, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        float[] values = new float[length];
        for (int i = 0; i < length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    private static Activations inputs(int columns) {
        Activations x = new Activations(ROWS, columns);
        x.reset(ROWS);
        System.arraycopy(random(ROWS * columns, 1), 0, x.values(), 0, ROWS * columns);
        return x;
    }

    /** As the class says it is rounded. */
    private static void add(LowRankFactors factors, float[] x, float[] y, int at) {
        float[] scaled = new float[factors.rank()];
        for (int j = 0; j < scaled.length; j++) {
            float low = 0;
            for (int k = 0; k < x.length; k++) {
                low = Fma.of(x[k], factors.a().element(j, k), low);
            }
            scaled[j] = factors.scale() * low;
        }
        for (int i = 0; i < factors.b().rows(); i++) {
            float sum = 0;
            for (int j = 0; j < scaled.length; j++) {
                sum = Fma.of(scaled[j], factors.b().element(i, j), sum);
            }
            y[at + i] += sum;
        }
    }

    /** Rows 0–2 have none, 3–70 the first, 71 none, 72–76 the second. */
    private static RowGroups groups(Adapter first, Adapter second) {
        RowGroups groups = new RowGroups();
        groups.add(null, 3);
        groups.add(first, 68);
        groups.add(null, 1);
        groups.add(second, 5);
        return groups;
    }

    @ParameterizedTest
    @MethodSource("kernels")
    void shouldAddWhatIsSpecified(Kernels kernels, TensorFormat format, WorkerTeam team) {
        RandomAdapters random = new RandomAdapters(BLUEPRINT, 5);
        int queries = BLUEPRINT.queryDim();
        int keys = BLUEPRINT.kvDim();
        LowRankFactors query = random.factors(format, 7, HIDDEN, queries);
        LowRankFactors value = random.factors(format, 40, HIDDEN, keys);
        LowRankFactors key = random.factors(TensorFormat.F32, 1, HIDDEN, keys);
        int stride = queries + 2 * keys;
        try (Adapter first = new AdapterBuilder(BLUEPRINT)
                        .layer(TensorRole.QUERY, 1, query).layer(TensorRole.VALUE, 1, value).build();
                Adapter second = new AdapterBuilder(BLUEPRINT).layer(TensorRole.KEY, 1, key).build()) {
            Activations x = inputs(HIDDEN);
            float[] actual = random(ROWS * stride, 2);
            float[] expected = actual.clone();
            for (int row = 3; row < ROWS; row++) {
                float[] input = Arrays.copyOfRange(x.values(), row * HIDDEN, (row + 1) * HIDDEN);
                if (row < 71) {
                    add(query, input, expected, row * stride);
                    add(value, input, expected, row * stride + queries + keys);
                } else if (row > 71) {
                    add(key, input, expected, row * stride + queries);
                }
            }
            RowGroups groups = groups(first, second);
            new AdapterRows(kernels, team, new AdapterScratch())
                    .add(groups, 1, AdapterSite.QUERY_KEY_VALUE, x, new Output(actual, stride));
            assertArrayEquals(expected, actual, kernels.title());
            assertTrue(AdapterRows.change(groups, 1, AdapterSite.QUERY_KEY_VALUE));
            assertFalse(AdapterRows.change(groups, 0, AdapterSite.QUERY_KEY_VALUE));
            assertFalse(AdapterRows.change(groups, 1, AdapterSite.DOWN));
        }
    }

    /** As Phi 3 and GPT-2 have them: gate and up in one matrix, and queries, keys and values in one. */
    @ParameterizedTest
    @MethodSource("kernels")
    void shouldAddToFusedMatrices(Kernels kernels, TensorFormat format, WorkerTeam team) {
        int size = BLUEPRINT.feedForwardSize();
        int stride = BLUEPRINT.queryDim() + 2 * BLUEPRINT.kvDim();
        RandomAdapters random = new RandomAdapters(BLUEPRINT, 11);
        LowRankFactors gateUp = random.factors(format, 9, HIDDEN, 2 * size);
        LowRankFactors all = random.factors(format, 3, HIDDEN, stride);
        try (Adapter adapter = new AdapterBuilder(BLUEPRINT)
                .layer(TensorRole.GATE_UP, 0, gateUp).layer(TensorRole.QUERY_KEY_VALUE, 0, all).build()) {
            RowGroups groups = new RowGroups();
            groups.add(adapter, ROWS);
            Activations x = inputs(HIDDEN);
            float[] gate = random(ROWS * size, 12);
            float[] up = random(ROWS * size, 13);
            float[] queryKeyValue = random(ROWS * stride, 14);
            float[] expectedGate = gate.clone();
            float[] expectedUp = up.clone();
            float[] expectedAll = queryKeyValue.clone();
            for (int row = 0; row < ROWS; row++) {
                float[] input = Arrays.copyOfRange(x.values(), row * HIDDEN, (row + 1) * HIDDEN);
                float[] both = new float[2 * size];
                System.arraycopy(gate, row * size, both, 0, size);
                System.arraycopy(up, row * size, both, size, size);
                add(gateUp, input, both, 0);
                System.arraycopy(both, 0, expectedGate, row * size, size);
                System.arraycopy(both, size, expectedUp, row * size, size);
                add(all, input, expectedAll, row * stride);
            }
            AdapterRows rows = new AdapterRows(kernels, team, new AdapterScratch());
            rows.add(groups, 0, AdapterSite.GATE_UP, x, new Output(gate, size), new Output(up, size));
            rows.add(groups, 0, AdapterSite.QUERY_KEY_VALUE, x, new Output(queryKeyValue, stride));
            assertArrayEquals(expectedGate, gate, kernels.title());
            assertArrayEquals(expectedUp, up, kernels.title());
            assertArrayEquals(expectedAll, queryKeyValue, kernels.title());
        }
    }

    @ParameterizedTest
    @MethodSource("kernels")
    void shouldChangeBothEndsWithOneTable(Kernels kernels, TensorFormat format, WorkerTeam team) {
        int vocabulary = BLUEPRINT.vocabularySize();
        LowRankFactors factors = new RandomAdapters(BLUEPRINT, 6).factors(format, 6, HIDDEN, vocabulary);
        LowRankFactors lookups = factors.transposed();
        try (Adapter both = new AdapterBuilder(BLUEPRINT).both(factors).build();
                Adapter apart = new AdapterBuilder(BLUEPRINT).head(factors).lookup(lookups).build()) {
            assertTrue(both.bytes() < apart.bytes());
            int[] tokens = IntStream.range(0, ROWS).map(i -> i * 13 % vocabulary).toArray();
            float[] hidden = random(ROWS * HIDDEN, 3);
            float[] logits = random(ROWS * vocabulary, 4);
            float[] expectedHidden = hidden.clone();
            float[] expectedLogits = logits.clone();
            Activations x = inputs(HIDDEN);
            for (int row = 3; row < ROWS; row++) {
                if (row != 71) {
                    float[] oneHot = new float[vocabulary];
                    oneHot[tokens[row]] = 1;
                    add(lookups, oneHot, expectedHidden, row * HIDDEN);
                    add(factors, Arrays.copyOfRange(x.values(), row * HIDDEN, (row + 1) * HIDDEN), expectedLogits, row * vocabulary);
                }
            }
            AdapterRows rows = new AdapterRows(kernels, team, new AdapterScratch());
            RowGroups groups = groups(both, apart);
            rows.lookup(groups, tokens, hidden, HIDDEN);
            rows.head(groups, x, logits, vocabulary);
            assertArrayEquals(expectedHidden, hidden, kernels.title());
            assertArrayEquals(expectedLogits, logits, kernels.title());
        }
    }

    @Test
    void shouldReplaceRowsOfTokensByTheirIds() {
        int vocabulary = BLUEPRINT.vocabularySize();
        StoredMatrix rows = new RandomAdapters(BLUEPRINT, 7).matrix(TensorFormat.F32, 2, HIDDEN);
        try (Adapter adapter = new AdapterBuilder(BLUEPRINT).lookup(new int[] {50, 4}, rows).head(new int[] {50, 4}, rows).build()) {
            RowGroups groups = new RowGroups();
            groups.add(adapter, 3);
            float[] hidden = random(3 * HIDDEN, 8);
            float[] before = hidden.clone();
            AdapterRows computed = new AdapterRows(KernelSelection.fastest(), WorkerTeam.sequential(), new AdapterScratch());
            computed.lookup(groups, new int[] {4, 5, 50}, hidden, HIDDEN);
            for (int k = 0; k < HIDDEN; k++) {
                assertEquals(rows.element(1, k), hidden[k]);
                assertEquals(before[HIDDEN + k], hidden[HIDDEN + k]);
                assertEquals(rows.element(0, k), hidden[2 * HIDDEN + k]);
            }
            float[] logits = new float[3 * vocabulary];
            computed.head(groups, inputs(HIDDEN), logits, vocabulary);
            for (int token = 0; token < vocabulary; token++) {
                assertEquals(token == 4 || token == 50, logits[vocabulary + token] != 0, "token=" + token);
            }
        }
    }

    @Test
    void shouldRefuseWhatIsNotFinite() {
        StoredMatrix a = new RandomAdapters(BLUEPRINT, 9).matrix(TensorFormat.F32, 2, HIDDEN);
        a.data().setAtIndex(ValueLayout.JAVA_FLOAT, 5, Float.NaN);
        AdapterBuilder builder = new AdapterBuilder(BLUEPRINT).head(
                new LowRankFactors(1, a, new RandomAdapters(BLUEPRINT, 10).matrix(TensorFormat.F32, BLUEPRINT.vocabularySize(), 2)));
        assertTrue(String.valueOf(assertThrows(AdapterException.class, builder::build).getMessage()).contains("random"));
    }
}
