package dev.tidestream.model.architecture;

import java.util.Locale;

/**
 * A rotary position embedding (Su et al. 2021), or none. Layers whose rotations are equal share a table.
 *
 * @param pairing which elements of a head are turned together
 * @param dimensions elements of a head that are turned, from its first on; even, or 0 for none
 * @param theta base of the frequencies
 * @param positionScale positions are multiplied by it (linear scaling); 1 for none
 * @param factors whether a tensor of the model stretches the wavelengths (Llama 3)
 */
public record Rotation(Pairing pairing, int dimensions, float theta, float positionScale, boolean factors) {
    /** Nothing is turned. */
    public static final Rotation NONE = new Rotation(Pairing.NONE, 0, 1, 1, false);

    /** Which elements of a head make pair i of n. */
    public enum Pairing {
        NONE,
        /** 2i and 2i + 1. */
        INTERLEAVED,
        /** i and n + i, as GPT-NeoX has it. */
        HALVES
    }

    public Rotation {
        if (!(theta > 0) || !Float.isFinite(theta) || !(positionScale > 0)) {
            throw new ModelException("constants of the rotation out of range: theta=%s, positionScale=%s".formatted(theta, positionScale));
        }
    }

    /** In plain words, of heads of a size. */
    String words(int headDim) {
        return pairing == Pairing.NONE ? "no rotation" : String.format(Locale.ROOT, "%srotated in %s (base %s%s%s)",
                dimensions == headDim ? "" : dimensions + " of them ", pairing == Pairing.HALVES ? "halves" : "neighbouring pairs", theta,
                positionScale == 1 ? "" : ", positions times " + positionScale, factors ? ", wavelengths stretched by a tensor" : "");
    }
}
