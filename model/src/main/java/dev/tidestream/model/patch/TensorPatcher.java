package dev.tidestream.model.patch;

import java.lang.foreign.Arena;

import dev.tidestream.model.tensor.WeightTensor;
import dev.tidestream.model.tensor.WorkerTeam;

/**
 * Makes the tensor that a patch asks for.
 *
 * <p><b>What is stored.</b> The wanted value of an element is the payload's, or base plus delta in float32, rounded once. A row
 * block (32 elements of Q8_0 and Q4_0, 256 of a K-quant, otherwise one element) whose wanted values all equal the held ones keeps its bits;
 * any other is encoded anew, by itself. So rows that are not listed, zero deltas, and rows put back as they were read change
 * nothing, however often a tensor is patched. REPLACE is the exception: every block is encoded anew, so that the bits depend on
 * the payload alone, and a history of updates may be replayed from the last replacement on.
 *
 * <p><b>Zeros.</b> A delta of 0 or -0 leaves an element as it is, -0 included. In a replacement, F32, F16 and BF16 store -0 as
 * -0; a quantised block has no zero signs of its own, so there 0 and -0 are equal.
 *
 * <p><b>Work and memory.</b> All work on a matrix goes through the team in ranges of panels, the copy of untouched bytes too.
 * Each range works in scratch of one panel as float32; beyond that and the new matrix, ROWS needs 8 bytes per listed row and
 * LOW_RANK holds B as float32. A low-rank product is taken panel by panel, 32 rows each, so that no result depends on the team.
 */
public final class TensorPatcher {
    private TensorPatcher() {}

    /**
     * Applies a patch.
     *
     * @param name of the tensor, for errors
     * @param base is only read; whoever calls keeps it alive
     * @param arena owns the new matrix; the caller closes it if this throws. Not used for a vector.
     * @param team does the work; see {@link WorkerTeam} for who may call
     * @param product called by the team's threads, possibly at once, with arrays of exactly the sizes it says
     * @throws PatchException if the patch is refused. Of several values that are not finite, the same one is named whatever the
     *     team, except that what stands in the payload's B is found first
     */
    public static PatchResult apply(
            String name, WeightTensor base, WeightPatch patch, Arena arena, WorkerTeam team, LowRankProduct product) {
        PatchChecks.check(name, base, patch);
        var payload = new PatchPayload(name, patch.payload(), patch.dtype());
        return switch (base) {
            case WeightTensor.Vector vector -> VectorPatcher.apply(name, vector, patch, payload);
            case WeightTensor.Matrix matrix -> {
                PatchSource source = PatchSource.of(name, matrix.panels(), patch, payload, product);
                yield new MatrixPatcher(name, matrix.panels(), source, arena).run(team);
            }
        };
    }
}
