package dev.tidestream.model.patch;

import dev.tidestream.model.tensor.WeightTensor;

/** Error and counts of each panel, added in the order of panels whoever worked on them. One thread per panel. */
final class PanelTally {
    private final double[] maxAbs;
    private final double[] sumsOfSquares;
    private final long[] elements;
    private final int[] changedRows;
    private final int[] changedBlocks;

    PanelTally(int panels) {
        maxAbs = new double[panels];
        sumsOfSquares = new double[panels];
        elements = new long[panels];
        changedRows = new int[panels];
        changedBlocks = new int[panels];
    }

    void set(int panel, long touched, PatchScratch counts) {
        maxAbs[panel] = counts.maxAbs;
        sumsOfSquares[panel] = counts.sumOfSquares;
        elements[panel] = touched;
        changedRows[panel] = Integer.bitCount(counts.changedLanes);
        changedBlocks[panel] = counts.changedBlocks;
    }

    PatchResult result(WeightTensor tensor) {
        double max = 0;
        double sum = 0;
        long touched = 0;
        long rows = 0;
        long blocks = 0;
        for (int panel = 0; panel < elements.length; panel++) {
            max = Math.max(max, maxAbs[panel]);
            sum += sumsOfSquares[panel];
            touched += elements[panel];
            rows += changedRows[panel];
            blocks += changedBlocks[panel];
        }
        return new PatchResult(tensor, new RequantisationError(max, Math.sqrt(sum / touched), touched), rows, blocks);
    }
}
