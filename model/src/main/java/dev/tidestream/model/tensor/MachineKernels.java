package dev.tidestream.model.tensor;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.ref.Reference;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

import dev.tidestream.model.machine.Cpu;
import dev.tidestream.model.tensor.MachinePrograms.Kind;

import static dev.tidestream.model.tensor.PanelLayout.ROWS;

/**
 * {@link Kernels} in machine code: attention ({@link MachineAttention}), rows ({@link MachineRows}), and multiplications (and the int8
 * codes for them) where there is a program for the format ({@link MachinePrograms}); the other multiplications are those of
 * {@link VectorKernels}. There are some only on Linux, on processors with AVX2, FMA and F16C. Why:
 * docs/adr/0010-machine-code.md, 0011-avx-512-programs.md and 0012-no-vector-api-in-a-start.md.
 */
final class MachineKernels implements Kernels {
    /**
     * {@code on} where it can be run, {@code off}, or {@code auto}: where the Vector API has 256 bits or more. With 512 the programs
     * are those for AVX-512 with VBMI and VNNI. On a processor that lacks those, {@code on} means those for AVX2 and {@code auto}
     * none: on Zen 5 either was faster, depending on the format, and no other processor was there to be measured.
     */
    static final String PROPERTY = "tidestream.machine.code";

    private static final int WIDE_BITS = 512;
    private static final int NARROW_BITS = 256;
    /** Of one row, about 0.1 ms. */
    private static final long PRODUCTS_OF_A_CALL = 2L << 20;
    /** Rows of floats of a call, so that a safepoint need not wait for all of them; a multiple of four. */
    private static final int FLOAT_ROWS_OF_A_CALL = 64;
    private static final Optional<MachineKernels> INSTANCE = find();
    private static final ThreadLocal<MachineScratch> SCRATCH = ThreadLocal.withInitial(MachineScratch::new);

    private final MachinePrograms programs;
    private final MachineAttention attention;
    private final MachineRows rows;
    private final boolean wide;

    private MachineKernels(MachinePrograms programs, MachineAttention attention, MachineRows rows, boolean wide) {
        this.programs = programs;
        this.attention = attention;
        this.rows = rows;
        this.wide = wide;
    }

    /** If this machine can run them. */
    static Optional<MachineKernels> instance() {
        return INSTANCE;
    }

    private static Optional<MachineKernels> find() {
        String choice = System.getProperty(PROPERTY, "auto");
        if (!List.of("on", "off", "auto").contains(choice)) {
            throw new IllegalArgumentException(PROPERTY + " must be on, off or auto: " + choice);
        }
        Cpu.Level level = choice.equals("off") ? Cpu.Level.NONE : Cpu.level();
        boolean wide = level == Cpu.Level.AVX512_VNNI && VectorShapes.BITS == WIDE_BITS;
        boolean faster = wide || VectorShapes.BITS == NARROW_BITS; // than the Vector API
        return level == Cpu.Level.NONE || (!faster && choice.equals("auto")) ? Optional.empty() : assemble(wide);
    }

    private static Optional<MachineKernels> assemble(boolean wide) {
        return MachinePrograms.assemble(wide).flatMap(programs ->
                MachineAttention.assemble(wide).flatMap(attention ->
                        MachineRows.assemble().map(rows -> new MachineKernels(programs, attention, rows, wide))));
    }

    /** How many programs there are that multiply. */
    int programs() {
        return programs.count();
    }

    @Override
    public String title() {
        return (wide ? "avx512-vnni+" : "avx2+") + VectorKernels.INSTANCE.title();
    }

    @Override
    public void multiply(
            PanelMatrix w, Activations x, float[] out, int outStride, int outOffset, int fromPanel, int toPanel) {
        boolean one = x.rows() == 1;
        boolean codes = x.quantised() && w.format().quantised();
        MemorySegment program = programs.find(w.format(), codes ? one ? Kind.ROW : Kind.ROWS : one ? Kind.FLOAT_ROW : Kind.FLOAT_ROWS);
        if (program == null || fromPanel == toPanel) {
            VectorKernels.INSTANCE.multiply(w, x, out, outStride, outOffset, fromPanel, toPanel);
            return;
        }
        VectorDecode.check(w, fromPanel, toPanel);
        checkOut(w, x, out, outStride, outOffset, toPanel);
        MachineScratch scratch = SCRATCH.get();
        int left = codes || one ? 0 : x.rows() % programs.floatRows();
        MemorySegment ofOneLeft = left == 0 ? null : programs.find(w.format(), Kind.FLOAT_ROW);
        if (left > 0 && ofOneLeft == null) {
            throw new IllegalStateException("no program for one row, but for some: format=" + w.format());
        }
        int rows = x.rows() - left;
        try {
            Call call = new Call(scratch, w, x, out, outStride);
            int slice = codes ? rows : Math.clamp(rows, 1, FLOAT_ROWS_OF_A_CALL);
            int most = panelsOfACall(w.columns(), slice);
            int panel = fromPanel;
            while (panel < toPanel) {
                int count = w.rowsOf(panel) < ROWS ? 1 : Math.min(most, Math.min(toPanel, w.rows() / ROWS) - panel);
                for (int first = 0; first < rows; first += slice) {
                    call.panels(program, panel, count, first, Math.min(slice, rows - first), outOffset);
                }
                for (int row = rows; row < x.rows() && ofOneLeft != null; row++) {
                    call.panels(ofOneLeft, panel, count, row, 1, outOffset);
                }
                panel += count;
            }
        } finally {
            Reference.reachabilityFence(x); // whose records were an address
        }
    }

    /**
     * Makes records of some blocks of a row.
     *
     * @param values from {@code from}, a block after the other
     * @param records from byte {@code at}, with {@code strideBytes} from one block to the next
     */
    void quantise(float[] values, int from, MemorySegment records, long at, int blocks, long strideBytes) {
        if (blocks == 0) {
            return; // the program counts down to 0
        }
        Objects.checkFromIndexSize(from, blocks * PanelLayout.BLOCK, values.length);
        Objects.checkFromIndexSize(at, (blocks - 1) * strideBytes + ActivationRecord.BYTES, records.byteSize());
        MachineScratch scratch = SCRATCH.get();
        scratch.set(MachineScratch.BLOCK_COUNT, blocks);
        scratch.set(MachineScratch.VALUES_OFFSET, (long) from * Float.BYTES);
        scratch.set(MachineScratch.OUT_OFFSET, at);
        scratch.set(MachineScratch.RECORD_STRIDE, strideBytes);
        MachineCall.run(programs.quantiser(), scratch.memory(), records, scratch.floats(values));
    }

    /** So many that a call is worth its while, and a safepoint need not wait for long. */
    private static int panelsOfACall(int columns, int rows) {
        return Math.toIntExact(Math.max(1, PRODUCTS_OF_A_CALL / ((long) columns * ROWS * rows)));
    }

    /** The arguments that are the same for all panels. */
    private record Call(MachineScratch scratch, PanelMatrix w, Activations x, float[] out, int outStride) {
        Call {
            scratch.set(MachineScratch.RECORDS, x.records().address());
            scratch.set(MachineScratch.UNITS, w.columns() / w.format().blockElements());
            scratch.set(MachineScratch.SUMS, scratch.sums(x.rows() + 1)); // programs take rows in pairs
            scratch.set(MachineScratch.VALUES_STRIDE, (long) x.columns() * Float.BYTES);
        }

        /** Some rows of x with full panels, or with one that is not full, whose sums go to spare room first. */
        void panels(MemorySegment program, int panel, int count, int first, int rows, int outOffset) {
            scratch.set(MachineScratch.PANELS, count);
            scratch.set(MachineScratch.ROW_COUNT, rows);
            scratch.set(MachineScratch.PAIR_COUNT, Math.ceilDiv(rows, 2));
            scratch.set(MachineScratch.FOUR_COUNT, rows / 4);
            scratch.set(MachineScratch.PANEL, w.data().address() + w.panelOffset(panel));
            MemorySegment values = scratch.floats(x.values());
            MemorySegment from = first == 0 ? values : values.asSlice((long) first * x.columns() * Float.BYTES);
            int to = outOffset + panel * ROWS + first * outStride;
            if (w.rowsOf(panel) == ROWS) {
                scratch.set(MachineScratch.OUT_OFFSET, (long) to * Float.BYTES);
                scratch.set(MachineScratch.OUT_STRIDE, (long) outStride * Float.BYTES);
                MachineCall.run(program, scratch.memory(), scratch.floats(out), from);
                return;
            }
            MemorySegment spare = scratch.spare(rows);
            scratch.set(MachineScratch.OUT_OFFSET, 0);
            scratch.set(MachineScratch.OUT_STRIDE, ROWS * Float.BYTES);
            MachineCall.run(program, scratch.memory(), spare, from);
            for (int b = 0; b < rows; b++) {
                MemorySegment.copy(spare, ValueLayout.JAVA_FLOAT, (long) b * ROWS * Float.BYTES, out, to + b * outStride, w.rowsOf(panel));
            }
        }
    }

    /** Nothing is checked in the programs. */
    private static void checkOut(PanelMatrix w, Activations x, float[] out, int outStride, int outOffset, int toPanel) {
        long end = outOffset + (x.rows() - 1L) * outStride + Math.min((long) toPanel * ROWS, w.rows());
        if (x.rows() == 0 || outOffset < 0 || outStride < 0 || end > out.length || x.columns() != w.columns()) {
            throw new IllegalArgumentException("outOffset=%d, outStride=%d, rows=%d, out.length=%d, columns=%d, x.columns=%d, x.rows=%d"
                    .formatted(outOffset, outStride, w.rows(), out.length, w.columns(), x.columns(), x.rows()));
        }
    }

    @Override
    public void normalise(Norm norm, float[] x, int xOffset, float[] out, int outOffset) {
        rows.normalise(norm, x, xOffset, out, outOffset);
    }

    @Override
    public void activate(ActivationFunction function, float[] x, float[] out, int from, int to) {
        rows.activate(function, x, out, from, to);
    }

    @Override
    public void gate(ActivationFunction function, float[] gate, float[] up, float[] out, int from, int to) {
        rows.gate(function, gate, up, out, from, to);
    }

    @Override
    public void softcap(float[] values, int from, int to, float cap) {
        rows.softcap(values, from, to, cap);
    }

    @Override
    public void attend(
            AttentionShape shape, KvHead head, float[] query, int queryOffset, float[] out, int outOffset, int rowCount, int positions) {
        attention.attend(shape, head, query, queryOffset, out, outOffset, rowCount, positions);
    }

    @Override
    public int maxima(float[] values, int from, int count, float[] out) {
        return rows.maxima(values, from, count, out);
    }

    @Override
    public int atLeast(float[] values, int from, int count, float least, int[] ids) {
        return rows.atLeast(values, from, count, least, ids);
    }

    @Override
    public void exponentials(float[] values, int from, int count, double max, double divisor, double[] out) {
        rows.exponentials(values, from, count, max, divisor, out);
    }
}
