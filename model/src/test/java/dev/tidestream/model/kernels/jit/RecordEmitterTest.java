package dev.tidestream.model.kernels.jit;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.SplittableRandom;

import org.junit.jupiter.api.Test;

import dev.tidestream.model.format.base.ActivationScaling;
import dev.tidestream.model.format.base.PanelLayout;
import dev.tidestream.model.kernels.scalar.ScalarQuants;
import dev.tidestream.model.tensor.Activations;
import dev.tidestream.model.tensor.WorkerTeam;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

/** Records that a program makes, against the quants that the oracle makes of the same values. */
public class RecordEmitterTest {
    private static final long SEED = 20261128;
    private static final int BLOCKS = 12;
    private static final int COLUMNS = BLOCKS * PanelLayout.BLOCK;
    private static final byte UNTOUCHED = 42;

    @Test
    void shouldWriteWhatTheOracleSays() {
        GeneratedKernels machine = machine();
        for (int rows : new int[] {1, 2, 3, 5}) {
            Activations x = new Activations(rows, COLUMNS);
            x.reset(rows);
            fill(x.values());
            x.quantise(machine, WorkerTeam.sequential(), ActivationScaling.ROW);
            assertRecords(x, machine.encoding(x).records());
            x.quantise(machine, WorkerTeam.sequential());
            assertRecords(x, machine.encoding(x).records());
            try (Arena arena = Arena.ofConfined()) {
                long stride = rows * 64L;
                MemorySegment records = arena.allocate(BLOCKS * stride, 64);
                for (int b = 0; b < rows; b++) {
                    machine.quantise(x.values(), b * COLUMNS, 0f, records, b * 64L, BLOCKS, stride);
                    for (int block = 0; block < BLOCKS; block++) {
                        assertRecord(x, b, block, records.asSlice(block * stride + b * 64L, 64));
                    }
                }
            }
        }
    }

    @Test
    void shouldWriteNothingBesideItsRecords() {
        GeneratedKernels machine = machine();
        float[] values = new float[4 * 32];
        fill(values);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment records = arena.allocate(8 * 64, 64).fill(UNTOUCHED);
            machine.quantise(values, 32, 0f, records, 64, 2, 3 * 64);
            MemorySegment untouched = arena.allocate(64, 64).fill(UNTOUCHED);
            for (int i = 0; i < 8; i++) {
                boolean written = i == 1 || i == 4;
                assertEquals(!written, records.asSlice(i * 64L, 64).mismatch(untouched) == -1, "record " + i);
            }
            MemorySegment before = arena.allocate(records.byteSize(), 64).copyFrom(records);
            machine.quantise(values, 0, 0f, records, 0, 0, 64);
            assertEquals(-1, records.mismatch(before));
            assertThrows(IndexOutOfBoundsException.class, () -> machine.quantise(values, 97, 0f, records, 0, 1, 64));
            assertThrows(IndexOutOfBoundsException.class, () -> machine.quantise(values, 0, 0f, records, 128, 3, 3 * 64));
        }
    }

    private static GeneratedKernels machine() {
        Optional<GeneratedKernels> machine = GeneratedKernels.find("on", OptionalInt.of(256));
        assumeTrue(machine.isPresent(), "no machine code here");
        return machine.orElseThrow();
    }

    private static void fill(float[] values) {
        SplittableRandom random = new SplittableRandom(SEED);
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (random.nextGaussian() * Math.scalb(1.0, random.nextInt(-20, 20)));
        }
        if (values.length < COLUMNS) {
            return;
        }
        for (int j = 0; j < 32; j++) { // codes that end in .5
            values[j] = j == 0 ? 127f : j - 16.5f;
        }
        Arrays.fill(values, 32, 64, 0f);
        Arrays.fill(values, 64, 96, -0f);
        Arrays.fill(values, 96, 128, Float.MIN_VALUE);
        Arrays.fill(values, 128, 160, 0x1p-127f);
        values[161] = Float.NaN;
        values[193] = Float.intBitsToFloat(0xffc01234); // a negative one
        values[225] = Float.NEGATIVE_INFINITY;
        values[257] = Float.MAX_VALUE;
        Arrays.fill(values, 288, 320, -1f);
    }

    /** All records of the activations. */
    private static void assertRecords(Activations x, MemorySegment records) {
        int room = x.rows() == 1 ? 1 : x.rows() + x.rows() % 2;
        for (int b = 0; b < x.rows(); b++) {
            for (int block = 0; block < x.columns() / 32; block++) {
                assertRecord(x, b, block, records.asSlice(((long) block * room + b) * 64, 64));
            }
        }
    }

    private static void assertRecord(Activations x, int b, int block, MemorySegment record) {
        String at = "seed=%d, rows=%d, b=%d, block=%d".formatted(SEED, x.rows(), b, block);
        ScalarQuants expected = ScalarQuants.of(x);
        int lower = 0;
        int upper = 0;
        for (int j = 0; j < 32; j++) {
            int code = expected.quant(b, block * 32 + j);
            assertEquals(code, record.get(ValueLayout.JAVA_BYTE, j), at);
            lower += j < 16 ? code : 0;
            upper += j < 16 ? 0 : code;
        }
        int sum = lower + upper;
        assertEquals(sum, expected.sum(b, block), at);
        assertEquals(expected.scale(b, block), record.get(ValueLayout.JAVA_FLOAT, 32), at);
        assertEquals(-8 * sum, record.get(ValueLayout.JAVA_INT, 36), at);
        assertEquals(Float.floatToRawIntBits(-sum), record.get(ValueLayout.JAVA_INT, 40), at);
        assertEquals(-128 * sum, record.get(ValueLayout.JAVA_INT, 44), at);
        assertEquals(-32 * lower, record.get(ValueLayout.JAVA_INT, 48), at);
        assertEquals(-32 * upper, record.get(ValueLayout.JAVA_INT, 52), at);
        assertEquals(-sum, record.get(ValueLayout.JAVA_INT, 56), at);
        assertEquals(0, record.get(ValueLayout.JAVA_INT, 60), at);
    }
}
