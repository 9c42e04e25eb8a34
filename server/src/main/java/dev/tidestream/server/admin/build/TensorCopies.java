package dev.tidestream.server.admin.build;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;

import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.WeightTensor;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.tensor.memory.PageArena;
import dev.tidestream.model.transformer.OwnedTensor;

/** Copies of tensors, to the bit, in memory of their own, and whether two are copies of each other. */
public final class TensorCopies {
    private static final int PIECE_BYTES = 1 << 20;

    private TensorCopies() {}

    /** @param team does the work, piece by piece */
    @SuppressWarnings("MustBeClosedChecker") // the tensor owns the arena
    static OwnedTensor copy(WeightTensor tensor, WorkerTeam team) {
        if (!(tensor instanceof WeightTensor.Matrix(PanelMatrix panels))) {
            return new OwnedTensor(tensor, () -> {}); // of the heap, and never changed
        }
        PageArena arena = new PageArena();
        boolean done = false;
        try {
            MemorySegment from = panels.panelData();
            MemorySegment to = arena.allocate(from.byteSize(), PanelMatrix.ALIGNMENT_BYTES);
            team.forEachRange(Math.toIntExact(Math.ceilDiv(from.byteSize(), (long) PIECE_BYTES)), 1, (first, end) -> {
                long begin = (long) first * PIECE_BYTES;
                MemorySegment.copy(from, begin, to, begin, Math.min(from.byteSize(), (long) end * PIECE_BYTES) - begin);
            });
            PanelMatrix copy = PanelMatrix.ofPanels(panels.format(), panels.rows(), panels.columns(), to);
            done = true;
            return OwnedTensor.of(new WeightTensor.Matrix(copy), arena);
        } finally {
            if (!done) {
                arena.close();
            }
        }
    }

    /** Whether two of one shape and format have the same bits. */
    public static boolean equal(WeightTensor first, WeightTensor second) {
        return switch (first) {
            case WeightTensor.Vector one -> second instanceof WeightTensor.Vector two && Arrays.equals(one.values(), two.values());
            case WeightTensor.Matrix(PanelMatrix one) -> second instanceof WeightTensor.Matrix(PanelMatrix two)
                    && one.format() == two.format() && one.panelData().mismatch(two.panelData()) == -1;
        };
    }
}
