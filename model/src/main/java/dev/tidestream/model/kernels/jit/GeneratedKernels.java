package dev.tidestream.model.kernels.jit;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.ref.Reference;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Function;

import dev.tidestream.model.format.base.PanelLayout;
import dev.tidestream.model.kernels.jit.ProductKernels.Kind;
import dev.tidestream.model.kernels.jit.attention.GeneratedAttention;
import dev.tidestream.model.kernels.jit.base.ActivationRecord;
import dev.tidestream.model.kernels.jit.base.KernelScratch;
import dev.tidestream.model.kernels.jit.base.NativeCall;
import dev.tidestream.model.kernels.jit.chain.PlainRowsEmitter;
import dev.tidestream.model.kernels.jit.rows.GeneratedRows;
import dev.tidestream.model.kernels.jit.tile.TileKernels;
import dev.tidestream.model.machine.Cpu;
import dev.tidestream.model.tensor.ActivationFunction;
import dev.tidestream.model.tensor.Activations;
import dev.tidestream.model.tensor.AttentionShape;
import dev.tidestream.model.tensor.Kernels;
import dev.tidestream.model.tensor.KvHead;
import dev.tidestream.model.tensor.Norm;
import dev.tidestream.model.tensor.PanelMatrix;

import static dev.tidestream.model.format.base.PanelLayout.ROWS;

/**
 * {@link Kernels} in x86-64 code that is generated when the process starts: attention ({@link GeneratedAttention}), operations on
 * rows ({@link GeneratedRows}), int8 quants, and products: with a kernel of the format's own ({@link ProductKernels}), or with
 * one that any quantised format can use ({@link TileKernels}). Linux only, on processors with AVX2, FMA and F16C. Needs no
 * incubating module. Why: docs/adr/0010-machine-code.md, 0011-avx-512-programs.md and
 * 0026-no-vector-api-where-kernels-are-generated.md.
 */
public final class GeneratedKernels implements Kernels {
    /**
     * {@code on}, {@code off} or {@code auto}:
     *
     * <table>
     *   <caption>Generated kernels</caption>
     *   <tr><th>processor, bits of its vectors</th><th>auto</th><th>on</th></tr>
     *   <tr><td>AVX2, 256</td><td>AVX2</td><td>AVX2</td></tr>
     *   <tr><td>AVX-512 with VBMI and VNNI, 512</td><td>AVX-512</td><td>AVX-512</td></tr>
     *   <tr><td>AVX-512 without them, 512</td><td>none</td><td>AVX2</td></tr>
     * </table>
     *
     * <p>{@code auto} takes none in the last row because only Zen 5 was measured there: which is faster depends on the format.
     * Without the Vector API there is nothing to compare with, and the processor alone decides.
     */
    public static final String PROPERTY = "tidestream.machine.code";

    private static final int WIDE_BITS = 512;
    private static final int NARROW_BITS = 256;
    /** Of one row, about 0.1 ms. */
    private static final long PRODUCTS_OF_A_CALL = 2L << 20;
    /** Rows of floats of a call, so that a safepoint need not wait for all of them; a multiple of four. */
    private static final int FLOAT_ROWS_OF_A_CALL = 64;
    private static final ThreadLocal<KernelScratch> SCRATCH = ThreadLocal.withInitial(KernelScratch::new);

    private final ProductKernels programs;
    private final TileKernels tiles;
    private final GeneratedAttention attention;
    private final GeneratedRows rows;
    private final boolean wide;
    private final Function<Activations, RecordQuants> newQuants = this::newQuants; // made once: a step asks often

    private GeneratedKernels(ProductKernels programs, TileKernels tiles, GeneratedAttention attention, GeneratedRows rows,
            boolean wide) {
        this.programs = programs;
        this.tiles = tiles;
        this.attention = attention;
        this.rows = rows;
        this.wide = wide;
    }

    /**
     * Those of this machine, if it can run them and is to.
     *
     * @param choice {@code on}, {@code off} or {@code auto}: the value of {@link #PROPERTY}
     * @param vectorBits width of the vectors that the Vector API would use, if it is there
     * @throws IllegalArgumentException if there is no such choice
     */
    public static Optional<GeneratedKernels> find(String choice, OptionalInt vectorBits) {
        if (!List.of("on", "off", "auto").contains(choice)) {
            throw new IllegalArgumentException(PROPERTY + " must be on, off or auto: " + choice);
        }
        Cpu.Level level = choice.equals("off") ? Cpu.Level.NONE : Cpu.level();
        boolean wide = level == Cpu.Level.AVX512_VNNI && vectorBits.orElse(WIDE_BITS) == WIDE_BITS;
        boolean faster = wide || vectorBits.orElse(NARROW_BITS) == NARROW_BITS; // than the Vector API
        return level == Cpu.Level.NONE || (!faster && choice.equals("auto")) ? Optional.empty() : assemble(wide);
    }

    private static Optional<GeneratedKernels> assemble(boolean wide) {
        return ProductKernels.assemble(wide).flatMap(programs ->
                TileKernels.assemble().flatMap(tiles ->
                        GeneratedAttention.assemble(wide).flatMap(attention ->
                                GeneratedRows.assemble().map(rows ->
                                        new GeneratedKernels(programs, tiles, attention, rows, wide)))));
    }

    @Override
    public String title() {
        return wide ? "avx512-vnni" : "avx2";
    }

    private RecordQuants newQuants(Activations x) {
        return new RecordQuants(x, this);
    }

    @Override
    public RecordQuants encoding(Activations x) {
        return x.encoding(RecordQuants.class, newQuants);
    }

    @Override
    public void multiply(
            PanelMatrix w, Activations x, float[] out, int outStride, int outOffset, int fromPanel, int toPanel) {
        boolean one = x.rows() == 1;
        boolean int8 = x.quantised() && w.format().quantised();
        MemorySegment program = programs.find(w.format(),
                int8 ? one ? Kind.ROW : Kind.ROWS : one ? Kind.FLOAT_ROW : Kind.FLOAT_ROWS);
        w.requireReadable(fromPanel, toPanel);
        if (fromPanel == toPanel) {
            return;
        }
        checkOut(w, x, out, outStride, outOffset, toPanel);
        if (program == null) {
            unpacked(w, x, int8, out, outStride, outOffset, fromPanel, toPanel);
            return;
        }
        KernelScratch scratch = SCRATCH.get();
        int left = int8 || one ? 0 : x.rows() % programs.floatRows();
        MemorySegment ofOneLeft = left == 0 ? null : programs.find(w.format(), Kind.FLOAT_ROW);
        if (left > 0 && ofOneLeft == null) {
            throw new IllegalStateException("no program for one row, but for some: format=" + w.format());
        }
        int rows = x.rows() - left;
        try {
            scratch.set(KernelScratch.RECORDS, int8 ? encoding(x).records().address() : 0);
            Call call = new Call(scratch, w, x, out, outStride);
            int slice = int8 ? rows : Math.clamp(rows, 1, FLOAT_ROWS_OF_A_CALL);
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

    /** With a format that has no kernel of its own. */
    private void unpacked(
            PanelMatrix w, Activations x, boolean int8, float[] out, int outStride, int outOffset, int fromPanel, int toPanel) {
        try {
            long records = int8 ? encoding(x).records().address() : 0;
            tiles.multiply(w, x, records, RecordQuants.even(x.rows()), out, outStride, outOffset, fromPanel, toPanel);
        } finally {
            Reference.reachabilityFence(x); // whose records were an address
        }
    }

    /**
     * Makes records of some blocks of a row.
     *
     * @param values from {@code from}, a block after the other
     * @param leastMagnitude see {@link Activations#leastMagnitude}
     * @param records from byte {@code at}, with {@code strideBytes} from one block to the next
     */
    public void quantise(float[] values, int from, float leastMagnitude, MemorySegment records, long at, int blocks,
            long strideBytes) {
        if (blocks == 0) {
            return; // the program counts down to 0
        }
        Objects.checkFromIndexSize(from, blocks * PanelLayout.BLOCK, values.length);
        Objects.checkFromIndexSize(at, (blocks - 1) * strideBytes + ActivationRecord.BYTES, records.byteSize());
        KernelScratch scratch = SCRATCH.get();
        scratch.set(KernelScratch.BLOCK_COUNT, blocks);
        scratch.set(KernelScratch.VALUES_OFFSET, (long) from * Float.BYTES);
        scratch.set(KernelScratch.OUT_OFFSET, at);
        scratch.set(KernelScratch.RECORD_STRIDE, strideBytes);
        scratch.set(KernelScratch.LEAST_MAGNITUDE, Float.floatToRawIntBits(leastMagnitude));
        NativeCall.run(programs.quantiser(), scratch.memory(), records, scratch.floats(values));
    }

    /** So many that a call is worth its while, and a safepoint need not wait for long. */
    private static int panelsOfACall(int columns, int rows) {
        return Math.toIntExact(Math.max(1, PRODUCTS_OF_A_CALL / ((long) columns * ROWS * rows)));
    }

    /** The arguments that are the same for all panels. */
    private record Call(KernelScratch scratch, PanelMatrix w, Activations x, float[] out, int outStride) {
        Call {
            scratch.set(KernelScratch.UNITS, w.columns() / w.format().blockElements());
            scratch.set(KernelScratch.SUMS, scratch.sums(x.rows() + 1)); // programs take rows in pairs
            int columns = PlainRowsEmitter.blockColumns(w.columns());
            scratch.set(KernelScratch.COLUMN_BLOCKS, w.columns() / columns);
            scratch.set(KernelScratch.BLOCK_COLUMNS, columns);
            scratch.set(KernelScratch.BLOCK_VALUES, (long) columns * Float.BYTES);
            scratch.set(KernelScratch.VALUES_STRIDE, (long) x.columns() * Float.BYTES);
        }

        /** Some rows of x with full panels, or with one that is not full, whose sums go to spare room first. */
        void panels(MemorySegment program, int panel, int count, int first, int rows, int outOffset) {
            scratch.set(KernelScratch.PANELS, count);
            scratch.set(KernelScratch.ROW_COUNT, rows);
            scratch.set(KernelScratch.PAIR_COUNT, Math.ceilDiv(rows, 2));
            scratch.set(KernelScratch.FOUR_COUNT, rows / 4);
            scratch.set(KernelScratch.PANEL, w.panelData().address() + w.panelOffset(panel));
            MemorySegment values = scratch.floats(x.values());
            MemorySegment from = first == 0 ? values : values.asSlice((long) first * x.columns() * Float.BYTES);
            int to = outOffset + panel * ROWS + first * outStride;
            if (w.rowsOf(panel) == ROWS) {
                scratch.set(KernelScratch.OUT_OFFSET, (long) to * Float.BYTES);
                scratch.set(KernelScratch.OUT_STRIDE, (long) outStride * Float.BYTES);
                NativeCall.run(program, scratch.memory(), scratch.floats(out), from);
                return;
            }
            MemorySegment spare = scratch.spare(rows);
            scratch.set(KernelScratch.OUT_OFFSET, 0);
            scratch.set(KernelScratch.OUT_STRIDE, ROWS * Float.BYTES);
            NativeCall.run(program, scratch.memory(), spare, from);
            for (int b = 0; b < rows; b++) {
                MemorySegment.copy(spare, ValueLayout.JAVA_FLOAT, (long) b * ROWS * Float.BYTES, out, to + b * outStride,
                        w.rowsOf(panel));
            }
        }
    }

    /** Nothing is checked in the programs. */
    private static void checkOut(PanelMatrix w, Activations x, float[] out, int outStride, int outOffset, int toPanel) {
        long end = outOffset + (x.rows() - 1L) * outStride + Math.min((long) toPanel * ROWS, w.rows());
        if (x.rows() == 0 || outOffset < 0 || outStride < 0 || end > out.length || x.columns() != w.columns()) {
            throw new IllegalArgumentException(("outOffset=%d, outStride=%d, rows=%d, out.length=%d, columns=%d, x.columns=%d,"
                    + " x.rows=%d").formatted(outOffset, outStride, w.rows(), out.length, w.columns(), x.columns(), x.rows()));
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
            AttentionShape shape, KvHead head, float[] query, int queryOffset, float[] out, int outOffset,
            int rowCount, int positions) {
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
