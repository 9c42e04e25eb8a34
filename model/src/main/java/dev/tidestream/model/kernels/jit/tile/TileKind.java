package dev.tidestream.model.kernels.jit.tile;

import dev.tidestream.model.format.base.PanelLayout;
import dev.tidestream.model.format.base.Rounding;

/** The kernels that any format takes, by the way in which its products are rounded. */
enum TileKind {
    /** Float activations, one chain over elements. */
    ELEMENTS,
    /** Float activations, chains over 16 and 16 integers. */
    CHAINS_OF_16,
    /** Float activations, chains over 8 and 8 integers, twice. */
    CHAINS_OF_8,
    /** Int8 activations. */
    INT8,
    /** The same with minima. */
    INT8_WITH_MINIMA;

    /** @throws IllegalArgumentException if there are chains of another length */
    static TileKind of(Rounding rounding, boolean int8) {
        if (int8) {
            return rounding.minima() ? INT8_WITH_MINIMA : INT8;
        }
        return switch (rounding.chain()) {
            case 0 -> ELEMENTS;
            case PanelLayout.HALF -> CHAINS_OF_16;
            case PanelLayout.HALF / 2 -> CHAINS_OF_8;
            default -> throw new IllegalArgumentException(
                    "no kernel for chains of %d: rounding=%s".formatted(rounding.chain(), rounding));
        };
    }

    boolean int8() {
        return this == INT8 || this == INT8_WITH_MINIMA;
    }

    /** Columns of a chain that is summed alone. */
    int chain() {
        return this == CHAINS_OF_8 ? PanelLayout.HALF / 2 : PanelLayout.HALF;
    }
}
