package dev.tidestream.model.kernels.jit.chain;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.format.base.PanelLayout;
import dev.tidestream.model.format.q5k.Q5K;
import dev.tidestream.model.kernels.jit.base.Lanes;
import dev.tidestream.model.kernels.jit.base.VectorConstant;

/** Q5_K: five words are sixteen columns, three in each and the last one in their top bits, see {@link PanelLayout}. */
public final class ChainCodeQ5K extends ChainCode {
    private static final int COLUMNS = 3; // of a word
    private static final int BITS = 5;
    private static final int SIXTEEN = 16;

    /** @param lanes receive the instructions */
    public ChainCodeQ5K(Lanes lanes) {
        super(lanes, TensorFormat.Q5_K);
    }

    @Override
    void constant() {
        lanes.broadcast(CONSTANT, scratch(VectorConstant.LOWEST_FIVE.offset()));
    }

    @Override
    void columns(Sink sink) {
        for (int column = 0; column < PanelLayout.BLOCK; column++) {
            int first = column / SIXTEEN * Q5K.Q5K_LINES;
            int i = column % SIXTEEN;
            sink.column(column);
            for (int part = 0; part < parts(lanes); part++) {
                if (i < SIXTEEN - 1) {
                    line(LINE, first + i / COLUMNS, part);
                    give(sink, column, part, i % COLUMNS * BITS);
                } else {
                    collect(first, part);
                    give(sink, column, part, 0);
                }
            }
        }
    }

    /** The top bits of five words to the bottom of those in {@link #LINE}, the first word's lowest. */
    private void collect(int first, int part) {
        line(LINE, first, part);
        lanes.and(LINE, LINE, VectorConstant.TOP_BIT);
        for (int i = 1; i < Q5K.Q5K_LINES; i++) {
            lanes.shiftWordsRight(LINE, LINE, 1);
            line(FLOATS, first + i, part);
            lanes.and(FLOATS, FLOATS, VectorConstant.TOP_BIT);
            lanes.or(LINE, FLOATS);
        }
        lanes.shiftWordsRight(LINE, LINE, Short.SIZE - BITS);
    }

    @Override
    void integers(int below) {
        maskedIntegers(below);
    }
}
