package dev.tidestream.model.kernels.jit.base;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.format.base.PanelLayout;
import dev.tidestream.model.format.q40.Q40;
import dev.tidestream.model.format.q4k.Q4K;
import dev.tidestream.model.format.q6k.Q6K;
import dev.tidestream.model.format.q80.Q80;

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
            case Q4_0 -> new PanelUnits(0, 1, Q40.Q4_BLOCK_BYTES);
            case Q8_0 -> new PanelUnits(0, 1, Q80.Q8_BLOCK_BYTES);
            case Q4_K -> new PanelUnits(Q4K.Q4K_BLOCKS, PanelLayout.BLOCKS, Q4K.Q4K_BLOCK_BYTES);
            case Q6_K -> new PanelUnits(Q6K.Q6K_BLOCKS, PanelLayout.BLOCKS, Q6K.Q6K_BLOCK_BYTES);
            case F32, F16, BF16, Q5_K -> throw new IllegalArgumentException("no machine program knows this format: " + format);
        };
    }
}
