package dev.tidestream.model.tensor;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.ref.Reference;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiConsumer;
import java.util.function.Function;

import dev.tidestream.model.machine.Assembler;
import dev.tidestream.model.machine.Cpu;
import dev.tidestream.model.machine.ExecutableMemory;

import static dev.tidestream.model.tensor.PanelLayout.ROWS;

/**
 * {@link Kernels} whose multiplications with int8 codes are machine code of {@link MachineWriter}; the rest is
 * {@link VectorKernels}. There are some only on Linux, on processors with AVX2, FMA and F16C. Why: docs/adr/0010-machine-code.md.
 */
final class MachineKernels implements Kernels {
    /**
     * {@code on} where it can be run, {@code off}, or {@code auto}: where vectors have 256 bits. With 512 the Vector API multiplies as
     * many lanes, and what is faster there has not been measured.
     */
    static final String PROPERTY = "tidestream.machine.code";

    private static final int AUTO_BITS = 256;
    /** Of one row, about 0.1 ms. */
    private static final long PRODUCTS_OF_A_CALL = 2L << 20;
    private static final Optional<MachineKernels> INSTANCE = find();
    private static final ThreadLocal<MachineScratch> SCRATCH = ThreadLocal.withInitial(MachineScratch::new);

    private final Map<TensorFormat, Programs> programs;

    /** A format's programs: for one row of codes, for many, for one row of floats, for an even number of them. */
    private record Programs(
            Optional<MemorySegment> row, Optional<MemorySegment> batch, Optional<MemorySegment> floatRow, Optional<MemorySegment> floatBatch) {
        /** The program for such activations, if there is one; for floats, an odd row is left over. */
        Optional<MemorySegment> of(Activations x) {
            if (x.quantised()) {
                return x.rows() == 1 ? row : batch;
            }
            return x.rows() == 1 ? floatRow : floatBatch;
        }
    }

    private MachineKernels(Map<TensorFormat, Programs> programs) {
        this.programs = programs;
    }

    /** If this machine can run them. */
    static Optional<MachineKernels> instance() {
        return INSTANCE;
    }

    private static Optional<MachineKernels> find() {
        String choice = System.getProperty(PROPERTY, "auto");
        boolean wanted = switch (choice) {
            case "on" -> true;
            case "off" -> false;
            case "auto" -> VectorShapes.BITS == AUTO_BITS;
            default -> throw new IllegalArgumentException(PROPERTY + " must be on, off or auto: " + choice);
        };
        return wanted && Cpu.hasAvx2() ? Optional.of(assemble()) : Optional.empty();
    }

    private static MachineKernels assemble() {
        Map<TensorFormat, Programs> programs = new EnumMap<>(TensorFormat.class);
        for (TensorFormat format : TensorFormat.values()) {
            Programs written = new Programs(
                    program(quads(format), MachineWriter::writeRow),
                    program(quads(format), MachineWriter::writeBatch),
                    program(floats(format), FloatWriter::writeRow),
                    program(floats(format), FloatWriter::writeBatch));
            programs.put(format, written);
        }
        return new MachineKernels(programs);
    }

    private static <T> Optional<MemorySegment> program(
            Optional<Function<Assembler, T>> weights, BiConsumer<Assembler, T> writer) {
        return weights.flatMap(weightsFor -> {
            Assembler code = new Assembler();
            writer.accept(code, weightsFor.apply(code));
            return ExecutableMemory.of(code.toByteArray());
        });
    }

    private static Optional<Function<Assembler, QuadCode>> quads(TensorFormat format) {
        return switch (format) {
            case Q4_0 -> Optional.of(QuadCodeQ40::new);
            case Q8_0 -> Optional.of(QuadCodeQ80::new);
            case Q4_K -> Optional.of(QuadCodeQ4K::new);
            case Q6_K -> Optional.of(QuadCodeQ6K::new);
            case F32, F16, BF16, Q5_K -> Optional.empty();
        };
    }

    private static Optional<Function<Assembler, FloatCode>> floats(TensorFormat format) {
        return switch (format) {
            case Q4_0 -> Optional.of(FloatCodeQ40::new);
            case Q8_0 -> Optional.of(FloatCodeQ80::new);
            case Q6_K -> Optional.of(FloatCodeQ6K::new);
            case F32, F16, BF16, Q4_K, Q5_K -> Optional.empty();
        };
    }

    @Override
    public String title() {
        return "avx2+" + VectorKernels.INSTANCE.title();
    }

    @Override
    public void multiply(
            PanelMatrix w, Activations x, float[] out, int outStride, int outOffset, int fromPanel, int toPanel) {
        Programs found = programs.get(w.format());
        Optional<MemorySegment> program = found == null ? Optional.empty() : found.of(x);
        if (found == null || program.isEmpty() || fromPanel == toPanel) {
            VectorKernels.INSTANCE.multiply(w, x, out, outStride, outOffset, fromPanel, toPanel);
            return;
        }
        VectorDecode.check(w, fromPanel, toPanel);
        checkOut(w, x, out, outStride, outOffset, toPanel);
        MachineScratch scratch = SCRATCH.get();
        boolean oneLeft = !x.quantised() && x.rows() > 1 && x.rows() % 2 == 1;
        int rows = oneLeft ? x.rows() - 1 : x.rows();
        try {
            Call call = new Call(scratch, w, x, out, outStride);
            int most = panelsOfACall(w.columns(), rows);
            int panel = fromPanel;
            while (panel < toPanel) {
                int count = w.rowsOf(panel) < ROWS ? 1 : Math.min(most, Math.min(toPanel, w.rows() / ROWS) - panel);
                call.panels(program.get(), panel, count, 0, rows, outOffset);
                if (oneLeft) {
                    call.panels(found.floatRow().orElseThrow(), panel, count, rows, 1, outOffset);
                }
                panel += count;
            }
        } finally {
            Reference.reachabilityFence(x); // whose records were an address
        }
    }

    /** So many that a call is worth its while, and a safepoint need not wait for long. */
    private static int panelsOfACall(int columns, int rows) {
        return Math.toIntExact(Math.max(1, PRODUCTS_OF_A_CALL / ((long) columns * ROWS * rows)));
    }

    /** The arguments that are the same for all panels. */
    private record Call(MachineScratch scratch, PanelMatrix w, Activations x, float[] out, int outStride) {
        Call {
            scratch.set(MachineScratch.RECORDS, x.records());
            scratch.set(MachineScratch.UNITS, w.columns() / w.format().blockElements());
            scratch.set(MachineScratch.SUMS, scratch.sums(x.rows() + 1));
            scratch.set(MachineScratch.VALUES_STRIDE, (long) x.columns() * Float.BYTES);
        }

        /** Some rows of x with full panels, or with one that is not full, whose sums go to spare room first. */
        void panels(MemorySegment program, int panel, int count, int first, int rows, int outOffset) {
            scratch.set(MachineScratch.PANELS, count);
            scratch.set(MachineScratch.ROW_COUNT, rows);
            scratch.set(MachineScratch.PAIR_COUNT, Math.ceilDiv(rows, 2));
            scratch.set(MachineScratch.PANEL, w.data().address() + w.panelOffset(panel));
            MemorySegment values = MemorySegment.ofArray(x.values());
            MemorySegment from = first == 0 ? values : values.asSlice((long) first * x.columns() * Float.BYTES);
            int to = outOffset + panel * ROWS + first * outStride;
            if (w.rowsOf(panel) == ROWS) {
                scratch.set(MachineScratch.OUT_OFFSET, (long) to * Float.BYTES);
                scratch.set(MachineScratch.OUT_STRIDE, (long) outStride * Float.BYTES);
                call(program, scratch.memory(), MemorySegment.ofArray(out), from);
                return;
            }
            MemorySegment spare = scratch.spare(rows);
            scratch.set(MachineScratch.OUT_OFFSET, 0);
            scratch.set(MachineScratch.OUT_STRIDE, ROWS * Float.BYTES);
            call(program, scratch.memory(), spare, from);
            for (int b = 0; b < rows; b++) {
                MemorySegment.copy(spare, ValueLayout.JAVA_FLOAT, (long) b * ROWS * Float.BYTES, out, to + b * outStride, w.rowsOf(panel));
            }
        }
    }

    /** Nothing is checked in the programs. */
    private static void checkOut(PanelMatrix w, Activations x, float[] out, int outStride, int outOffset, int toPanel) {
        long end = outOffset + (x.rows() - 1L) * outStride + Math.min((long) toPanel * ROWS, w.rows());
        if (outOffset < 0 || outStride < 0 || end > out.length || x.columns() != w.columns()) {
            throw new IllegalArgumentException("outOffset=%d, outStride=%d, rows=%d, out.length=%d, columns=%d, x.columns=%d"
                    .formatted(outOffset, outStride, w.rows(), out.length, w.columns(), x.columns()));
        }
    }

    /** The linkage; in a class of its own, so that it is a constant for the compiler. */
    private static final class Calls {
        @SuppressWarnings("restricted") // native access is enabled, see PageArena
        static final MethodHandle CALL = Linker.nativeLinker().downcallHandle(
                FunctionDescriptor.ofVoid(ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.ADDRESS),
                Linker.Option.critical(true));
    }

    private static void call(MemorySegment program, MemorySegment scratch, MemorySegment out, MemorySegment x) {
        try {
            Calls.CALL.invokeExact(program, scratch, out, x);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError("a native call threw", e);
        }
    }

    @Override
    public void rmsNorm(float[] x, int xOffset, float[] weight, float eps, float[] out, int outOffset) {
        VectorKernels.INSTANCE.rmsNorm(x, xOffset, weight, eps, out, outOffset);
    }

    @Override
    public void swiGlu(float[] gate, float[] up, float[] out, int from, int to) {
        VectorKernels.INSTANCE.swiGlu(gate, up, out, from, to);
    }

    @Override
    public void attend(AttentionShape shape, KvHead head, float[] query, float[] out, int offset, int rows, int positions) {
        VectorKernels.INSTANCE.attend(shape, head, query, out, offset, rows, positions);
    }

    @Override
    public int maxima(float[] values, int from, int count, float[] out) {
        return VectorKernels.INSTANCE.maxima(values, from, count, out);
    }

    @Override
    public int atLeast(float[] values, int from, int count, float least, int[] ids) {
        return VectorKernels.INSTANCE.atLeast(values, from, count, least, ids);
    }

    @Override
    public void exponentials(float[] values, int from, int count, double max, double divisor, double[] out) {
        VectorKernels.INSTANCE.exponentials(values, from, count, max, divisor, out);
    }
}
