package dev.tidestream.model.format.base;

/**
 * 32 columns of one row, taken out of a panel: {@code w = d * scale * q + m * min}, with the scale and the minimum of a half of the
 * columns. Where a format has no scales, or no minima, of its own, they are 1; where it has no {@code m}, that is not to be added.
 * Filled again and again; one thread.
 */
public final class LaneBlock {
    /** Scale of the unit. */
    public float d;
    /** What minima are multiplied with; negative where the format subtracts. 0 if there are none. */
    public float m;
    /** Of columns 0–15 and 16–31. */
    public final int[] scales = {1, 1};
    /** Of columns 0–15 and 16–31. */
    public final int[] mins = {1, 1};
    /** Integers, centred. */
    public final byte[] quants = new byte[PanelLayout.BLOCK];

    /** All elements, with the bits of ggml's dequantisation: products are exact, and the sum is rounded once. */
    public void elements(boolean minima, float[] out, int outOffset) {
        for (int half = 0; half < 2; half++) {
            float scale = d * scales[half];
            float min = m * mins[half];
            for (int j = half * PanelLayout.HALF; j < (half + 1) * PanelLayout.HALF; j++) {
                out[outOffset + j] = minima ? scale * quants[j] + min : scale * quants[j];
            }
        }
    }
}
