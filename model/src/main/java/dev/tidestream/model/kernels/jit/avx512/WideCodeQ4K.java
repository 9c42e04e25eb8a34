package dev.tidestream.model.kernels.jit.avx512;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.format.base.PanelLayout;
import dev.tidestream.model.kernels.jit.base.MachineConstant;
import dev.tidestream.model.kernels.jit.base.WideTable;
import dev.tidestream.model.machine.Assembler;

import static dev.tidestream.model.machine.WideOp.VPANDD;
import static dev.tidestream.model.machine.WideOp.VPBROADCASTD;
import static dev.tidestream.model.machine.WideOp.VPMULTISHIFTQB;

/** Q4_K: a word is four columns, of four bits. */
public final class WideCodeQ4K extends WideCodeOfMinima {
    /** @param code receives the instructions */
    public WideCodeQ4K(Assembler code) {
        super(code, TensorFormat.Q4_K);
    }

    @Override
    void quads() {
        table(8, WideTable.NIBBLES_OF_LOWER_WORDS);
        table(9, WideTable.NIBBLES_OF_UPPER_WORDS);
        code.wide(VPBROADCASTD, 10, each(MachineConstant.NIBBLES));
        for (int q = 0; q < QUADS; q++) {
            for (int g = 0; g < GROUPS; g++) {
                code.wide(VPMULTISHIFTQB, tile(q, g), 8 + g, panel(PanelLayout.LINE_BYTES * (1 + q)));
                code.wide(VPANDD, tile(q, g), tile(q, g), 10);
            }
        }
    }
}
