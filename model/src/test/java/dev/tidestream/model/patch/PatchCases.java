package dev.tidestream.model.patch;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.tensor.PanelBytes;
import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.RandomWeights;
import dev.tidestream.model.tensor.WeightTensor;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.tensor.panel.PanelPacker;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

/** Random bases and patches, and the comparison with the oracle. */
final class PatchCases {
    /** Those that the oracle has an encoder for. */
    static final List<TensorFormat> FORMATS =
            Arrays.stream(TensorFormat.values()).filter(format -> format.blockElements() < 128 && format != TensorFormat.IQ4_NL).toList();

    static final LowRankProduct PLAIN = PatchCases::multiply;

    private PatchCases() {}

    /** A patch, and what it says about each row: null if nothing. */
    record Case(WeightPatch patch, float[][] values) {}

    /** All finite bits, but nothing so large that requantising it leaves the range of F16. */
    static PanelMatrix base(TensorFormat format, int rows, int columns, SplittableRandom random, Arena arena) {
        MemorySegment source = RandomWeights.rowMajor(format, rows, columns, random, arena);
        if (format.quantised() || format == TensorFormat.F16) {
            for (long at = 0; at < source.byteSize(); at += format.blockBytes()) {
                for (int scale : scales(format)) {
                    if ((source.get(ValueLayout.JAVA_SHORT_UNALIGNED, at + scale) & 0x7c00) > 0x4000) {
                        source.set(ValueLayout.JAVA_SHORT_UNALIGNED, at + scale, (short) 0xb800); // -0.5
                    }
                }
            }
        }
        return PanelPacker.pack("w", format, rows, columns, source, arena, WorkerTeam.sequential());
    }

    /** Where the halves of a block are. */
    private static int[] scales(TensorFormat format) {
        return switch (format) {
            case F32, F16, BF16, Q8_0, Q4_0, IQ4_NL, Q5_0 -> new int[] {0};
            case Q4_1, Q5_1, Q4_K, Q5_K -> new int[] {0, 2};
            case Q2_K -> new int[] {80, 82};
            case Q3_K -> new int[] {108};
            case Q6_K -> new int[] {208};
            case TQ1_0 -> new int[] {52};
            case TQ2_0 -> new int[] {64};
            case I2_S -> new int[0];
        };
    }

    /** The least number of columns from {@code columns} on that a format can have. */
    static int columns(TensorFormat format, int columns) {
        return Math.ceilDiv(columns, format.blockElements()) * format.blockElements();
    }

    static Case random(PatchKind kind, PatchDtype dtype, PanelMatrix base, SplittableRandom random) {
        int rows = base.rows();
        int columns = base.columns();
        float[][] values = new float[rows][];
        return switch (kind) {
            case REPLACE, DELTA -> {
                for (int row = 0; row < rows; row++) {
                    values[row] = row(kind, dtype, base, row, random);
                }
                yield new Case(new WeightPatch(kind, shape(rows, columns), dtype, 0, payload(dtype, new int[0], values)), values);
            }
            case ROWS -> {
                int[] ids = ids(1 + random.nextInt(rows), rows, random);
                float[][] listed = new float[ids.length][];
                for (int i = 0; i < ids.length; i++) {
                    listed[i] = row(kind, dtype, base, ids[i], random);
                    values[ids[i]] = listed[i];
                }
                yield new Case(
                        new WeightPatch(kind, shape(ids.length, columns), dtype, 0, payload(dtype, ids, listed)), values);
            }
            case SPARSE -> sparse(dtype, base, values, random);
            case LOW_RANK -> lowRank(dtype, rows, columns, 1 + random.nextInt(Math.min(Math.min(rows, columns), 9)), random);
        };
    }

    /** Some elements of some rows. */
    private static Case sparse(PatchDtype dtype, PanelMatrix base, float[][] values, SplittableRandom random) {
        List<Long> places = new ArrayList<>();
        List<Float> listed = new ArrayList<>();
        for (int row = 0; row < base.rows(); row++) {
            float[] wanted = row(PatchKind.SPARSE, dtype, base, row, random);
            boolean must = row == base.rows() - 1 && places.isEmpty();
            if (must || random.nextBoolean()) {
                values[row] = new float[base.columns()];
                base.copyRow(row, values[row], 0);
                int from = random.nextInt(base.columns());
                for (int k = from; k < base.columns(); k += 1 + random.nextInt(7)) {
                    values[row][k] = wanted[k];
                    places.add((long) row * base.columns() + k);
                    listed.add(wanted[k]);
                }
            }
        }
        ByteBuffer payload = ByteBuffer.allocate(places.size() * (Long.BYTES + dtype.bytes())).order(ByteOrder.LITTLE_ENDIAN);
        places.forEach(payload::putLong);
        float[] all = new float[listed.size()];
        for (int i = 0; i < all.length; i++) {
            all[i] = listed.get(i);
        }
        put(dtype, new float[][] {all}, payload);
        return new Case(new WeightPatch(PatchKind.SPARSE, List.of((long) all.length), dtype, 0, unaligned(payload.array())), values);
    }

    static Case lowRank(PatchDtype dtype, int rows, int columns, int rank, SplittableRandom random) {
        float[][] a = new float[rows][rank];
        float[][] b = new float[rank][columns];
        for (float[] row : a) {
            boolean zero = random.nextInt(4) == 0;
            for (int r = 0; r < rank; r++) {
                row[r] = zero ? 0 : representable(dtype, (float) (random.nextGaussian() * 0.1));
            }
        }
        for (float[] row : b) {
            for (int k = 0; k < columns; k++) {
                row[k] = representable(dtype, (float) random.nextGaussian());
            }
        }
        float[][] product = new float[rows][columns];
        for (int row = 0; row < rows; row++) {
            for (int k = 0; k < columns; k++) {
                for (int r = 0; r < rank; r++) {
                    product[row][k] += a[row][r] * b[r][k];
                }
            }
        }
        ByteBuffer both = ByteBuffer.allocate((rows + columns) * rank * dtype.bytes()).order(ByteOrder.LITTLE_ENDIAN);
        put(dtype, a, both);
        put(dtype, b, both);
        return new Case(new WeightPatch(PatchKind.LOW_RANK, shape(rows, columns), dtype, rank, unaligned(both.array())), product);
    }

    /** Values of one row, many of them such that elements or whole blocks do not change. */
    private static float[] row(PatchKind kind, PatchDtype dtype, PanelMatrix base, int row, SplittableRandom random) {
        float[] held = new float[base.columns()];
        base.copyRow(row, held, 0);
        float[] out = new float[held.length];
        int habit = random.nextInt(4);
        for (int k = 0; k < out.length; k++) {
            boolean keep = switch (habit) {
                case 0 -> true;
                case 1 -> k / 32 % 2 == 0;
                case 2 -> random.nextInt(3) > 0;
                default -> false;
            };
            float other = switch (random.nextInt(12)) {
                case 0 -> 0f;
                case 1 -> -0f;
                case 2 -> Float.MIN_VALUE * random.nextInt(1000);
                case 3 -> (float) (random.nextGaussian() * 50);
                default -> (float) (random.nextGaussian() * 0.05);
            };
            float kept = kind == PatchKind.DELTA ? (random.nextBoolean() ? 0f : -0f) : held[k];
            out[k] = representable(dtype, keep ? kept : other);
        }
        return out;
    }

    static int[] ids(int count, int rows, SplittableRandom random) {
        int[] all = new int[rows];
        for (int i = 0; i < rows; i++) {
            int j = random.nextInt(i + 1);
            all[i] = all[j];
            all[j] = i;
        }
        return Arrays.copyOf(all, count);
    }

    static MemorySegment payload(PatchDtype dtype, int[] ids, float[][] values) {
        ByteBuffer out = ByteBuffer.allocate(ids.length * 4 + values.length * values[0].length * dtype.bytes())
                .order(ByteOrder.LITTLE_ENDIAN);
        for (int id : ids) {
            out.putInt(id);
        }
        put(dtype, values, out);
        return unaligned(out.array());
    }

    private static void put(PatchDtype dtype, float[][] values, ByteBuffer out) {
        for (float[] row : values) {
            for (float value : row) {
                switch (dtype) {
                    case F32 -> out.putFloat(value);
                    case F16 -> out.putShort(Float.floatToFloat16(value));
                    case BF16 -> out.putShort((short) (Float.floatToRawIntBits(value) >>> 16));
                }
            }
        }
    }

    /** The same bytes at an odd address. */
    private static MemorySegment unaligned(byte[] bytes) {
        MemorySegment out = Arena.ofAuto().allocate(bytes.length + 1L, 64).asSlice(1);
        MemorySegment.copy(MemorySegment.ofArray(bytes), 0, out, 0, bytes.length);
        return out;
    }

    /** A value that the payload can hold. */
    static float representable(PatchDtype dtype, float value) {
        return switch (dtype) {
            case F32 -> value;
            case F16 -> Float.float16ToFloat(Float.floatToFloat16(value));
            case BF16 -> Float.intBitsToFloat(Float.floatToRawIntBits(value) & 0xffff0000);
        };
    }

    static List<Long> shape(int rows, int columns) {
        return List.of((long) rows, (long) columns);
    }

    /** Applies the patch and compares all of the result with the oracle's. */
    static PanelMatrix checked(PanelMatrix base, Case patch, Arena arena, WorkerTeam team, String where) {
        byte[] before = PanelBytes.all(base);
        PatchResult result = TensorPatcher.apply("w", new WeightTensor.Matrix(base), patch.patch(), arena, team, PLAIN);
        assertArrayEquals(before, PanelBytes.all(base), () -> where + ": the base");
        var oracle = new PatchOracle(base.format(), base.columns(), PanelBytes.rowMajor(base), patch.values(), patch.patch().kind());
        PanelMatrix matrix = ((WeightTensor.Matrix) result.tensor()).panels();
        assertArrayEquals(oracle.bytes, PanelBytes.rowMajor(matrix), () -> where + ": the bits");
        assertEquals(oracle.maxAbs, result.error().maxAbs(), () -> where + ": largest error");
        assertEquals(oracle.rms, result.error().rms(), oracle.rms * 1e-12, () -> where + ": rms error");
        assertEquals(oracle.elements, result.error().elements(), () -> where + ": elements");
        assertEquals(oracle.changedRows, result.changedRows(), () -> where + ": changed rows");
        assertEquals(oracle.changedBlocks, result.changedBlocks(), () -> where + ": changed blocks");
        return matrix;
    }

    private static void multiply(float[] a, int rows, int rank, float[] b, int columns, float[] out) {
        assertEquals(rows * rank, a.length);
        assertEquals(rank * columns, b.length);
        assertEquals(rows * columns, out.length);
        for (int row = 0; row < rows; row++) {
            for (int k = 0; k < columns; k++) {
                float sum = 0;
                for (int r = 0; r < rank; r++) {
                    sum += a[row * rank + r] * b[r * columns + k];
                }
                out[row * columns + k] = sum;
            }
        }
    }
}
