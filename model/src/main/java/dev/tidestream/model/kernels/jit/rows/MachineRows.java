package dev.tidestream.model.kernels.jit.rows;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

import dev.tidestream.model.kernels.jit.base.MachineCall;
import dev.tidestream.model.kernels.scalar.ScalarKernels;
import dev.tidestream.model.kernels.scalar.ScalarRows;
import dev.tidestream.model.machine.Assembler;
import dev.tidestream.model.machine.ExecutableMemory;
import dev.tidestream.model.tensor.Kernels;

import static dev.tidestream.model.tensor.Kernels.MAXIMA_TILE;
import static dev.tidestream.model.tensor.Kernels.PARTIALS;

/**
 * The kernels over rows of floats as machine code, with AVX2: no start of a process waits until they are compiled. Programs take
 * whole groups; the few elements behind them are done as {@link ScalarKernels} does. Nothing is checked in the programs.
 */
public final class MachineRows {
    /** Doubles of a call, so that a safepoint need not wait for long; a microsecond. */
    private static final int EXPONENTIALS_OF_A_CALL = 256;
    private static final int NONE = 0;

    private static final ThreadLocal<RowScratch> SCRATCH = ThreadLocal.withInitial(RowScratch::new);

    private enum Program {
        SQUARES,
        SCALED,
        SWI_GLU,
        MAXIMA,
        REACHED,
        EXPONENTIALS;

        byte[] write() {
            Assembler code = new Assembler();
            switch (this) {
                case SQUARES -> RowWriter.squares(code);
                case SCALED -> RowWriter.scaled(code);
                case SWI_GLU -> ExpWriter.swiGlu(code);
                case MAXIMA -> RowWriter.maxima(code);
                case REACHED -> RowWriter.reached(code);
                case EXPONENTIALS -> ExpWriter.exponentials(code);
            }
            return code.toByteArray();
        }
    }

    private final MemorySegment squares;
    private final MemorySegment scaled;
    private final MemorySegment swiGlu;
    private final MemorySegment maxima;
    private final MemorySegment reached;
    private final MemorySegment exponentials;

    private MachineRows(Map<Program, Integer> places, MemorySegment memory) {
        squares = memory.asSlice(place(places, Program.SQUARES));
        scaled = memory.asSlice(place(places, Program.SCALED));
        swiGlu = memory.asSlice(place(places, Program.SWI_GLU));
        maxima = memory.asSlice(place(places, Program.MAXIMA));
        reached = memory.asSlice(place(places, Program.REACHED));
        exponentials = memory.asSlice(place(places, Program.EXPONENTIALS));
    }

    private static int place(Map<Program, Integer> places, Program program) {
        return Objects.requireNonNull(places.get(program));
    }

    /** All programs in one piece of memory, or none where the system has no such memory. */
    public static Optional<MachineRows> assemble() {
        Map<Program, Integer> places = new EnumMap<>(Program.class);
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (Program program : Program.values()) {
            places.put(program, all.size());
            all.writeBytes(program.write());
        }
        return ExecutableMemory.of(all.toByteArray()).map(memory -> new MachineRows(places, memory));
    }

    /** {@link Kernels#rmsNorm}. */
    public void rmsNorm(float[] x, int xOffset, float[] weight, float eps, float[] out, int outOffset) {
        int n = weight.length;
        Objects.checkFromIndexSize(xOffset, n, x.length);
        Objects.checkFromIndexSize(outOffset, n, out.length);
        int whole = n - n % RowWriter.GROUP;
        RowScratch scratch = SCRATCH.get();
        float[] partials = scratch.partials();
        MemorySegment row = MemorySegment.ofArray(x);
        offsets(scratch, floats(xOffset), NONE, NONE);
        if (whole > 0) {
            run(squares, scratch, whole / RowWriter.GROUP, row, MemorySegment.ofArray(partials), MemorySegment.NULL);
        } else {
            Arrays.fill(partials, 0f);
        }
        for (int i = whole; i < n; i++) {
            partials[i - whole] = Math.fma(x[xOffset + i], x[xOffset + i], partials[i - whole]);
        }
        float r = ScalarKernels.reciprocalRoot(partials, n, eps);
        if (whole > 0) {
            offsets(scratch, floats(xOffset), NONE, floats(outOffset));
            scratch.set(RowScratch.FLOAT, r);
            run(scaled, scratch, whole / RowWriter.GROUP, row, MemorySegment.ofArray(weight), MemorySegment.ofArray(out));
        }
        for (int i = whole; i < n; i++) {
            out[outOffset + i] = x[xOffset + i] * r * weight[i];
        }
    }

    /** {@link Kernels#swiGlu}. */
    public void swiGlu(float[] gate, float[] up, float[] out, int from, int to) {
        int n = to - from;
        Objects.checkFromIndexSize(from, n, gate.length);
        Objects.checkFromIndexSize(from, n, up.length);
        Objects.checkFromIndexSize(from, n, out.length);
        int groups = n / ExpWriter.GROUP;
        if (groups > 0) {
            RowScratch scratch = SCRATCH.get();
            offsets(scratch, floats(from), floats(from), floats(from));
            run(swiGlu, scratch, groups, MemorySegment.ofArray(gate), MemorySegment.ofArray(up), MemorySegment.ofArray(out));
        }
        ScalarKernels.INSTANCE.swiGlu(gate, up, out, from + groups * ExpWriter.GROUP, to);
    }

    /** {@link Kernels#maxima}. */
    public int maxima(float[] values, int from, int count, float[] out) {
        Objects.checkFromIndexSize(from, count, values.length);
        int found = Math.ceilDiv(count, MAXIMA_TILE) * PARTIALS;
        Objects.checkFromIndexSize(0, found, out.length);
        RowScratch scratch = SCRATCH.get();
        int tiles = count / MAXIMA_TILE;
        int left = count % MAXIMA_TILE;
        if (tiles > 0) {
            tilesOfMaxima(scratch, values, from, tiles, MAXIMA_TILE, out, 0);
        }
        if (left == 0) {
            return found;
        }
        int begin = from + tiles * MAXIMA_TILE;
        int last = found - PARTIALS;
        int whole = left - left % RowWriter.MAXIMA_GROUP;
        if (whole > 0) {
            tilesOfMaxima(scratch, values, begin, 1, whole, out, last);
        } else {
            Arrays.fill(out, last, found, Float.NEGATIVE_INFINITY);
        }
        for (int i = whole; i < left; i++) {
            int place = last + i % PARTIALS;
            out[place] = Math.max(out[place], values[begin + i]);
        }
        return found;
    }

    /** Tiles of so many values each. */
    private void tilesOfMaxima(RowScratch scratch, float[] values, int from, int tiles, int length, float[] out, int to) {
        offsets(scratch, floats(from), floats(to), NONE);
        scratch.set(RowScratch.GROUPS_OF_A_TILE, (long) length / RowWriter.MAXIMA_GROUP);
        run(maxima, scratch, tiles, MemorySegment.ofArray(values), MemorySegment.ofArray(out), MemorySegment.NULL);
    }

    /** {@link Kernels#atLeast}. A program says in which blocks there are some. */
    public int atLeast(float[] values, int from, int count, float least, int[] ids) {
        Objects.checkFromIndexSize(from, count, values.length);
        RowScratch scratch = SCRATCH.get();
        long[] some = scratch.reached();
        MemorySegment row = MemorySegment.ofArray(values);
        scratch.set(RowScratch.FLOAT, least);
        int found = 0;
        int id = 0;
        while (count - id >= RowWriter.BLOCK) {
            int blocks = Math.min(RowScratch.BLOCKS, (count - id) / RowWriter.BLOCK);
            offsets(scratch, floats(from + id), NONE, NONE);
            run(reached, scratch, blocks, row, MemorySegment.ofArray(some), MemorySegment.NULL);
            for (int block = 0; block < blocks; block++, id += RowWriter.BLOCK) {
                for (long left = some[block]; left != 0; left &= left - 1) {
                    ids[found++] = id + Long.numberOfTrailingZeros(left);
                }
            }
        }
        return ScalarRows.atLeast(values, from, id, count, least, ids, found);
    }

    /** {@link Kernels#exponentials}. A program says whether there was an argument that is not for it. */
    public void exponentials(float[] values, int from, int count, double max, double divisor, double[] out) {
        Objects.checkFromIndexSize(from, count, values.length);
        Objects.checkFromIndexSize(0, count, out.length);
        RowScratch scratch = SCRATCH.get();
        MemorySegment row = MemorySegment.ofArray(values);
        MemorySegment results = MemorySegment.ofArray(out);
        scratch.set(RowScratch.MAX, max);
        scratch.set(RowScratch.DIVISOR, divisor);
        int whole = count - count % ExpWriter.DOUBLES;
        for (int i = 0; i < whole; i += EXPONENTIALS_OF_A_CALL) {
            int n = Math.min(EXPONENTIALS_OF_A_CALL, whole - i);
            offsets(scratch, floats(from + i), (long) i * Double.BYTES, NONE);
            run(exponentials, scratch, n / ExpWriter.DOUBLES, row, results, MemorySegment.NULL);
            if (scratch.get(RowScratch.FINE) != RowScratch.ALL) {
                others(values, from + i, n, max, divisor, out, i);
            }
        }
        ScalarRows.exponentials(values, from + whole, count - whole, max, divisor, out, whole);
    }

    /** Those that the program has wrong: 0, which may be right, or of a value above the maximum. */
    private static void others(float[] values, int from, int count, double max, double divisor, double[] out, int to) {
        for (int i = 0; i < count; i++) {
            double difference = values[from + i] - max;
            if (out[to + i] == 0 || difference > 0) {
                double x = difference / divisor;
                out[to + i] = x < RowConstant.UNDERFLOW ? 0 : StrictMath.exp(x);
            }
        }
    }

    private static long floats(int count) {
        return (long) count * Float.BYTES;
    }

    private static void offsets(RowScratch scratch, long first, long second, long third) {
        scratch.set(RowScratch.FIRST_OFFSET, first);
        scratch.set(RowScratch.SECOND_OFFSET, second);
        scratch.set(RowScratch.THIRD_OFFSET, third);
    }

    /** At least one group: programs count down to 0. */
    private static void run(
            MemorySegment program, RowScratch scratch, int groups, MemorySegment first, MemorySegment second, MemorySegment third) {
        scratch.set(RowScratch.GROUPS, (long) groups);
        MachineCall.run(program, scratch.memory(), first, second, third);
    }
}
