package dev.tidestream.model.kernels.jit.base;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.format.base.BlockShape;

/**
 * How code goes through a panel: units (a block, or a super-block), each a header and some blocks.
 *
 * @param headerBytes bytes in front of the first block of a unit
 * @param blocks blocks of a unit
 * @param blockBytes bytes of a block
 */
public record PanelUnits(int headerBytes, int blocks, int blockBytes) {

    /** Of a format. */
    public static PanelUnits of(TensorFormat format) {
        BlockShape shape = format.shape();
        return new PanelUnits(shape.headerBytes(), shape.blocks(), shape.blockBytes());
    }
}
