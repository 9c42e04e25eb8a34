package dev.tidestream.model.patch;

import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * A change to one tensor; see {@link PatchKind} for what shape and payload mean. Anything may stand in it:
 * {@link TensorPatcher} checks it.
 *
 * @param rank of {@link PatchKind#LOW_RANK}; otherwise not read
 * @param payload little-endian, any alignment; only read, possibly by several threads at once
 */
public record WeightPatch(PatchKind kind, List<Long> shape, PatchDtype dtype, int rank, MemorySegment payload) {

    public WeightPatch {
        shape = List.copyOf(shape);
    }
}
