package dev.tidestream.model.patch;

import java.lang.foreign.Arena;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicReference;

import org.jspecify.annotations.Nullable;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.patch.PatchException.Reason;
import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.WeightTensor;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.tensor.panel.PanelEditor;

/**
 * One patch of one matrix. A panel is copied, then its touched row blocks are edited in the copy while it is in the cache: all
 * rows of one block of columns before the next block, since they lie side by side.
 */
final class MatrixPatcher {
    private final String name;
    private final TensorFormat format;
    private final int columns;
    private final int panels;
    private final PatchSource source;
    private final boolean additive;
    private final boolean keepsEqualBlocks;
    private final boolean hasGaps;
    private final PanelEditor editor;
    private final PanelTally tally;
    private final Queue<PatchScratch> idle = new ConcurrentLinkedQueue<>();
    private final AtomicReference<@Nullable Refusal> refusal = new AtomicReference<>();

    MatrixPatcher(String name, PanelMatrix base, PatchSource source, Arena arena) {
        this.name = name;
        this.columns = base.columns();
        this.panels = base.panels();
        this.source = source;
        this.additive = source.additive();
        this.keepsEqualBlocks = source.keepsEqualBlocks();
        this.hasGaps = source.hasGaps();
        this.editor = new PanelEditor(base, arena);
        this.format = base.format();
        this.tally = new PanelTally(panels);
    }

    /** The refusal of the lowest panel is the one that is thrown. */
    private record Refusal(int panel, PatchException cause) {}

    PatchResult run(WorkerTeam team) {
        team.forEachRange(editor.pages(), 1, (from, to) -> {
            for (int page = from; page < to; page++) {
                editor.touch(page);
            }
        });
        team.forEachRange(panels, 1, (from, to) -> {
            PatchScratch taken = idle.poll();
            PatchScratch scratch = taken == null ? new PatchScratch(columns, source.rank(), editor.newEncoder()) : taken;
            range(from, to, scratch);
            idle.add(scratch);
        });
        Refusal refused = refusal.get();
        if (refused != null) {
            throw refused.cause();
        }
        return tally.result(new WeightTensor.Matrix(editor.matrix()));
    }

    private void range(int from, int to, PatchScratch scratch) {
        for (int panel = from; panel < to && mayMatter(panel); panel++) {
            try {
                panel(panel, scratch);
            } catch (PatchException e) {
                var mine = new Refusal(panel, e);
                refusal.accumulateAndGet(mine, (old, next) -> old == null || next.panel() < old.panel() ? next : old);
                return;
            }
        }
    }

    private boolean mayMatter(int panel) {
        Refusal refused = refusal.get();
        return refused == null || panel < refused.panel();
    }

    private void panel(int panel, PatchScratch scratch) {
        editor.copy(panel);
        scratch.resetCounts();
        int rows = source.fill(panel, editor.rowsOf(panel), scratch);
        if (rows > 0) {
            for (int block = 0; block < editor.blocks(); block++) {
                for (int i = 0; i < rows; i++) {
                    rowBlock(panel, i, block, scratch);
                }
            }
        }
        tally.set(panel, (long) rows * columns, scratch);
    }

    /**
     * Edits one row block, if it changes.
     *
     * @param i which of the touched rows
     */
    private void rowBlock(int panel, int i, int block, PatchScratch scratch) {
        int lane = scratch.lanes[i];
        int width = editor.width(block);
        int from = i * columns + block * editor.blockColumns();
        editor.read(panel, lane, block, scratch.held);
        boolean same = additive
                ? add(scratch.held, scratch.values, from, width, scratch.wanted)
                : take(scratch.held, scratch.values, from, width, scratch.wanted);
        if (same && keepsEqualBlocks) {
            return;
        }
        int bad = PatchPayload.firstNonFinite(scratch.wanted, 0, width);
        if (bad >= 0) {
            throw new PatchException(Reason.NON_FINITE, "sum is not finite: tensor=%s, row=%d, column=%d, held=%s, added=%s"
                    .formatted(name, row(panel, lane), block * editor.blockColumns() + bad, scratch.held[bad],
                            scratch.values[from + bad]));
        }
        int changed = editor.write(panel, lane, block, scratch.wanted, scratch.encoder);
        scratch.changedBlocks += changed;
        scratch.changedLanes |= changed > 0 ? 1 << lane : 0;
        editor.read(panel, lane, block, scratch.stored);
        if (!measure(width, scratch)) {
            int largest = largest(scratch.wanted, width);
            throw new PatchException(Reason.NON_FINITE,
                    "value is too large for the tensor's format: tensor=%s, format=%s, row=%d, column=%d, wanted=%s"
                            .formatted(name, format, row(panel, lane), block * editor.blockColumns() + largest,
                                    scratch.wanted[largest]));
        }
    }

    /** Adds; a zero leaves the held bits. Whether nothing changes. */
    private static boolean add(float[] held, float[] values, int from, int width, float[] wanted) {
        boolean same = true;
        for (int j = 0; j < width; j++) {
            float value = values[from + j];
            float sum = value == 0 ? held[j] : held[j] + value;
            wanted[j] = sum;
            same &= sum == held[j];
        }
        return same;
    }

    /** Replaces. Whether nothing changes: for a quantised format by value, otherwise in bits. */
    private boolean take(float[] held, float[] values, int from, int width, float[] wanted) {
        boolean same = true;
        System.arraycopy(values, from, wanted, 0, width);
        if (hasGaps) {
            for (int j = 0; j < width; j++) {
                wanted[j] = Float.isNaN(wanted[j]) ? held[j] : wanted[j];
            }
        }
        if (format.quantised()) {
            for (int j = 0; j < width; j++) {
                same &= wanted[j] == held[j];
            }
        } else {
            for (int j = 0; j < width; j++) {
                same &= Float.floatToRawIntBits(wanted[j]) == Float.floatToRawIntBits(held[j]);
            }
        }
        return same;
    }

    /** Adds one row block to the error. False if something that was stored is not finite. */
    private static boolean measure(int width, PatchScratch scratch) {
        double max = scratch.maxAbs;
        double sum = 0;
        for (int j = 0; j < width; j++) {
            double error = (double) scratch.stored[j] - scratch.wanted[j];
            max = Math.max(max, Math.abs(error));
            sum += error * error; // below 1e78 if finite, so an infinite sum means an infinite or NaN element
        }
        scratch.maxAbs = max;
        scratch.sumOfSquares += sum;
        return Double.isFinite(sum);
    }

    private static int largest(float[] values, int width) {
        int best = 0;
        for (int j = 1; j < width; j++) {
            if (Math.abs(values[j]) > Math.abs(values[best])) {
                best = j;
            }
        }
        return best;
    }

    private static int row(int panel, int lane) {
        return panel * PanelEditor.PANEL_ROWS + lane;
    }
}
