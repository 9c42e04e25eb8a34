package dev.tidestream.model.kernels.jit.chain;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.format.base.PanelLayout;
import dev.tidestream.model.kernels.jit.base.Lanes;
import dev.tidestream.model.kernels.jit.base.VectorConstant;
import dev.tidestream.model.kernels.jit.base.WideTable;

import static dev.tidestream.model.machine.WideOp.VPERMPS;

/** Q4_K: a word is four columns, of four bits. */
public final class ChainCodeQ4K extends ChainCode {
    private static final int COLUMNS = 4; // of a word

    /** @param lanes receive the instructions */
    public ChainCodeQ4K(Lanes lanes) {
        super(lanes, TensorFormat.Q4_K);
    }

    @Override
    void constant() {
        if (lanes.wide()) {
            lanes.load(CONSTANT, scratch(WideTable.TO_FIFTEEN.offset()));
        } else {
            lanes.broadcast(CONSTANT, scratch(VectorConstant.LOWEST_FOUR.offset()));
        }
    }

    @Override
    void columns(Sink sink) {
        for (int column = 0; column < PanelLayout.BLOCK; column++) {
            sink.column(column);
            for (int part = 0; part < parts(lanes); part++) {
                line(LINE, column / COLUMNS, part);
                give(sink, column, part, column % COLUMNS * 4);
            }
        }
    }

    /** With AVX-512 looked up: only four bits of an index count. */
    @Override
    void integers(int below) {
        if (!lanes.wide()) {
            maskedIntegers(below);
            return;
        }
        if (below > 0) {
            lanes.shiftRight(FLOATS, LINE, below);
        }
        lanes.code().wide(VPERMPS, FLOATS, below > 0 ? FLOATS : LINE, CONSTANT);
    }
}
