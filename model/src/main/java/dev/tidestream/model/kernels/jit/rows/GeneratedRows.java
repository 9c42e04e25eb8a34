package dev.tidestream.model.kernels.jit.rows;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;

import dev.tidestream.model.kernels.jit.base.NativeCall;
import dev.tidestream.model.kernels.scalar.ScalarKernels;
import dev.tidestream.model.kernels.scalar.ScalarRows;
import dev.tidestream.model.machine.Assembler;
import dev.tidestream.model.machine.ExecutableMemory;
import dev.tidestream.model.tensor.ActivationFunction;
import dev.tidestream.model.tensor.Kernels;
import dev.tidestream.model.tensor.Norm;

import static dev.tidestream.model.tensor.Kernels.MAXIMA_TILE;
import static dev.tidestream.model.tensor.Kernels.PARTIALS;

/**
 * Generated AVX2 kernels over rows of floats. They need no JIT warm-up, so a process starts fast. They take whole groups of elements;
 * {@link ScalarKernels} computes the rest of a row. They check nothing: this class checks before it calls them.
 */
public final class GeneratedRows {
    /** Doubles of a call, so that a safepoint need not wait for long; a microsecond. */
    private static final int EXPONENTIALS_OF_A_CALL = 256;
    /** Groups of values to cap in a call, for the same reason; some microseconds. */
    private static final int SOFTCAP_GROUPS_OF_A_CALL = 256;
    private static final int NONE = 0;

    private static final ThreadLocal<RowScratch> SCRATCH = ThreadLocal.withInitial(RowScratch::new);

    private enum Program {
        SUMS,
        SQUARES,
        CENTRED_SQUARES,
        SCALED,
        SCALED_BIASED,
        CENTRED_SCALED,
        CENTRED_SCALED_BIASED,
        SILU,
        SILU_GATED,
        GELU_TANH,
        GELU_TANH_GATED,
        RELU_SQUARED,
        RELU_SQUARED_GATED,
        SOFTCAP,
        MAXIMA,
        REACHED,
        EXPONENTIALS;

        void write(Assembler code) {
            switch (this) {
                case SUMS -> RowEmitter.sums(code);
                case SQUARES -> RowEmitter.squares(code, false);
                case CENTRED_SQUARES -> RowEmitter.squares(code, true);
                case SCALED -> RowEmitter.scaled(code, false, false);
                case SCALED_BIASED -> RowEmitter.scaled(code, false, true);
                case CENTRED_SCALED -> RowEmitter.scaled(code, true, false);
                case CENTRED_SCALED_BIASED -> RowEmitter.scaled(code, true, true);
                case SILU -> ExpEmitter.activations(code, ActivationFunction.SILU, false);
                case SILU_GATED -> ExpEmitter.activations(code, ActivationFunction.SILU, true);
                case GELU_TANH -> ExpEmitter.activations(code, ActivationFunction.GELU_TANH, false);
                case GELU_TANH_GATED -> ExpEmitter.activations(code, ActivationFunction.GELU_TANH, true);
                case RELU_SQUARED -> ExpEmitter.activations(code, ActivationFunction.RELU_SQUARED, false);
                case RELU_SQUARED_GATED -> ExpEmitter.activations(code, ActivationFunction.RELU_SQUARED, true);
                case SOFTCAP -> ExpEmitter.softcap(code);
                case MAXIMA -> RowEmitter.maxima(code);
                case REACHED -> RowEmitter.reached(code);
                case EXPONENTIALS -> ExpEmitter.exponentials(code);
            }
        }

        static Program scaled(Norm norm) {
            return norm.centred() ? norm.biased() ? CENTRED_SCALED_BIASED : CENTRED_SCALED : norm.biased() ? SCALED_BIASED : SCALED;
        }

        static Program activation(ActivationFunction function, boolean gated) {
            return switch (function) {
                case SILU -> gated ? SILU_GATED : SILU;
                case GELU_TANH -> gated ? GELU_TANH_GATED : GELU_TANH;
                case RELU_SQUARED -> gated ? RELU_SQUARED_GATED : RELU_SQUARED;
            };
        }
    }

    private final EnumMap<Program, MemorySegment> programs = new EnumMap<>(Program.class);

    private GeneratedRows(Map<Program, Integer> places, MemorySegment memory) {
        places.forEach((program, place) -> programs.put(program, memory.asSlice(place)));
    }

    /** All programs in one piece of memory, or none where the system has no such memory. */
    public static Optional<GeneratedRows> assemble() {
        Map<Program, Integer> places = new EnumMap<>(Program.class);
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (Program program : Program.values()) {
            places.put(program, all.size());
            Assembler code = new Assembler();
            program.write(code);
            all.writeBytes(code.toByteArray());
        }
        return ExecutableMemory.of(all.toByteArray()).map(memory -> new GeneratedRows(places, memory));
    }

    /** What {@link #assemble} writes: name and code, in the order in which programs lie in memory. */
    public static Map<String, Consumer<Assembler>> sources() {
        Map<String, Consumer<Assembler>> sources = new LinkedHashMap<>();
        for (Program program : Program.values()) {
            sources.put(program.name(), program::write);
        }
        return sources;
    }

    /** {@link Kernels#normalise}. */
    public void normalise(Norm norm, float[] x, int xOffset, float[] out, int outOffset) {
        int n = norm.size();
        Objects.checkFromIndexSize(xOffset, n, x.length);
        Objects.checkFromIndexSize(outOffset, n, out.length);
        int groups = n / RowEmitter.GROUP;
        int whole = groups * RowEmitter.GROUP;
        RowScratch scratch = SCRATCH.get();
        float[] partials = scratch.partials();
        MemorySegment row = MemorySegment.ofArray(x);
        float mean = 0f;
        if (norm.centred()) {
            partials(Program.SUMS, scratch, groups, row, xOffset);
            for (int i = whole; i < n; i++) {
                partials[i - whole] += x[xOffset + i];
            }
            mean = ScalarKernels.mean(partials, n);
        }
        scratch.set(RowScratch.MEAN, mean);
        partials(norm.centred() ? Program.CENTRED_SQUARES : Program.SQUARES, scratch, groups, row, xOffset);
        for (int i = whole; i < n; i++) {
            float d = norm.centred() ? x[xOffset + i] - mean : x[xOffset + i];
            partials[i - whole] = Math.fma(d, d, partials[i - whole]);
        }
        float r = ScalarKernels.reciprocalRoot(partials, n, norm.eps());
        if (groups > 0) {
            offsets(scratch, floats(xOffset), NONE, floats(outOffset));
            scratch.set(RowScratch.FLOAT, r);
            scratch.set(RowScratch.BIAS_DISTANCE, floats(n));
            run(Program.scaled(norm), scratch, groups, row, MemorySegment.ofArray(norm.parameters()), MemorySegment.ofArray(out));
        }
        ScalarKernels.scale(norm, x, xOffset, mean, r, out, outOffset, whole);
    }

    private void partials(Program program, RowScratch scratch, int groups, MemorySegment row, int from) {
        float[] partials = scratch.partials();
        if (groups > 0) {
            offsets(scratch, floats(from), NONE, NONE);
            run(program, scratch, groups, row, MemorySegment.ofArray(partials), MemorySegment.NULL);
        } else {
            Arrays.fill(partials, 0f);
        }
    }

    /** {@link Kernels#activate}. */
    public void activate(ActivationFunction function, float[] x, float[] out, int from, int to) {
        int n = to - from;
        Objects.checkFromIndexSize(from, n, x.length);
        Objects.checkFromIndexSize(from, n, out.length);
        int groups = n / ExpEmitter.GROUP;
        if (groups > 0) {
            RowScratch scratch = SCRATCH.get();
            offsets(scratch, floats(from), NONE, floats(from));
            run(Program.activation(function, false), scratch, groups, MemorySegment.ofArray(x), MemorySegment.NULL, MemorySegment.ofArray(out));
        }
        ScalarKernels.INSTANCE.activate(function, x, out, from + groups * ExpEmitter.GROUP, to);
    }

    /** {@link Kernels#gate}. */
    public void gate(ActivationFunction function, float[] gate, float[] up, float[] out, int from, int to) {
        int n = to - from;
        Objects.checkFromIndexSize(from, n, gate.length);
        Objects.checkFromIndexSize(from, n, up.length);
        Objects.checkFromIndexSize(from, n, out.length);
        int groups = n / ExpEmitter.GROUP;
        if (groups > 0) {
            RowScratch scratch = SCRATCH.get();
            offsets(scratch, floats(from), floats(from), floats(from));
            run(Program.activation(function, true), scratch, groups,
                    MemorySegment.ofArray(gate), MemorySegment.ofArray(up), MemorySegment.ofArray(out));
        }
        ScalarKernels.INSTANCE.gate(function, gate, up, out, from + groups * ExpEmitter.GROUP, to);
    }

    /** {@link Kernels#softcap}. */
    public void softcap(float[] values, int from, int to, float cap) {
        Objects.checkFromToIndex(from, to, values.length);
        int groups = (to - from) / ExpEmitter.GROUP;
        if (groups > 0) {
            RowScratch scratch = SCRATCH.get();
            MemorySegment row = MemorySegment.ofArray(values);
            scratch.set(RowScratch.FLOAT, -(2f / cap)); // programs have the argument's negative
            scratch.set(RowScratch.CAP, cap);
            scratch.set(RowScratch.TWICE_CAP, 2f * cap);
            for (int first = 0; first < groups; first += SOFTCAP_GROUPS_OF_A_CALL) {
                int at = from + first * ExpEmitter.GROUP;
                offsets(scratch, floats(at), NONE, floats(at));
                run(Program.SOFTCAP, scratch, Math.min(SOFTCAP_GROUPS_OF_A_CALL, groups - first), row, MemorySegment.NULL, row);
            }
        }
        ScalarKernels.INSTANCE.softcap(values, from + groups * ExpEmitter.GROUP, to, cap);
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
        int whole = left - left % RowEmitter.MAXIMA_GROUP;
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
        scratch.set(RowScratch.GROUPS_OF_A_TILE, (long) length / RowEmitter.MAXIMA_GROUP);
        run(Program.MAXIMA, scratch, tiles, MemorySegment.ofArray(values), MemorySegment.ofArray(out), MemorySegment.NULL);
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
        while (count - id >= RowEmitter.BLOCK) {
            int blocks = Math.min(RowScratch.BLOCKS, (count - id) / RowEmitter.BLOCK);
            offsets(scratch, floats(from + id), NONE, NONE);
            run(Program.REACHED, scratch, blocks, row, MemorySegment.ofArray(some), MemorySegment.NULL);
            for (int block = 0; block < blocks; block++, id += RowEmitter.BLOCK) {
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
        int whole = count - count % ExpEmitter.DOUBLES;
        for (int i = 0; i < whole; i += EXPONENTIALS_OF_A_CALL) {
            int n = Math.min(EXPONENTIALS_OF_A_CALL, whole - i);
            offsets(scratch, floats(from + i), (long) i * Double.BYTES, NONE);
            run(Program.EXPONENTIALS, scratch, n / ExpEmitter.DOUBLES, row, results, MemorySegment.NULL);
            if (scratch.get(RowScratch.FINE) != RowScratch.ALL) {
                others(values, from + i, n, max, divisor, out, i);
            }
        }
        ScalarRows.exponentials(values, from + whole, count - whole, max, divisor, out, whole);
    }

    /** Recomputes the lanes that the generated kernel cannot handle: results that it flushed to 0, and positive arguments. */
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
    private void run(
            Program program, RowScratch scratch, int groups, MemorySegment first, MemorySegment second, MemorySegment third) {
        scratch.set(RowScratch.GROUPS, (long) groups);
        NativeCall.run(Objects.requireNonNull(programs.get(program)), scratch.memory(), first, second, third);
    }
}
