package dev.tidestream.model.kernels.jit.base;

import dev.tidestream.model.tensor.PanelLayout;
import dev.tidestream.model.tensor.TensorFormat;

/**
 * How code goes through a panel: units (a block, or a super-block), each a header and some blocks.
 *
 * @param headerBytes bytes in front of the first block of a unit
 * @param blocks blocks of a unit
 * @param blockBytes bytes of a block
 */
public record PanelUnits(int headerBytes, int blocks, int blockBytes) {

    /** Of a format that machine programs know. */
    public static PanelUnits of(TensorFormat format) {
        return switch (format) {
            case Q4_0 -> new PanelUnits(0, 1, PanelLayout.Q4_BLOCK_BYTES);
            case Q8_0 -> new PanelUnits(0, 1, PanelLayout.Q8_BLOCK_BYTES);
            case Q4_K -> new PanelUnits(PanelLayout.Q4K_BLOCKS, PanelLayout.BLOCKS, PanelLayout.Q4K_BLOCK_BYTES);
            case Q5_K -> new PanelUnits(PanelLayout.Q4K_BLOCKS, PanelLayout.BLOCKS, PanelLayout.Q5K_BLOCK_BYTES);
            case Q6_K -> new PanelUnits(PanelLayout.Q6K_BLOCKS, PanelLayout.BLOCKS, PanelLayout.Q6K_BLOCK_BYTES);
            case F32, F16, BF16 -> throw new IllegalArgumentException("no machine program knows this format: " + format);
        };
    }
}
