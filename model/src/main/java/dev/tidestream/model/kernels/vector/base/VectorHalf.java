package dev.tidestream.model.kernels.vector.base;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

import dev.tidestream.model.format.base.PanelLayout;

/**
 * Two 16-bit values per 32-bit lane, as {@link PanelLayout} puts them, to two float vectors: {@code low} gives rows 0–15,
 * {@code high} rows 16–31. Exact for finite values: a half's exponent and mantissa are moved to where a float has them and
 * multiplied by 2^112, which also normalises subnormals.
 */
public final class VectorHalf {
    /** What makes a float of a half whose bits were put where a float has them. */
    public static final float TWO_112 = 0x1p112f;

    private VectorHalf() {}

    /** Rows 0–15, of F16. */
    public static FloatVector lowHalf(IntVector pair) {
        return pair.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 3).and(0x8fffffff).reinterpretAsFloats()
                .mul(TWO_112);
    }

    /** Rows 16–31, of F16. */
    public static FloatVector highHalf(IntVector pair) {
        return pair.lanewise(VectorOperators.ASHR, 3).and(0x8fffe000).reinterpretAsFloats().mul(TWO_112);
    }
}
