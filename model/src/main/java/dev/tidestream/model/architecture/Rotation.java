package dev.tidestream.model.architecture;

import java.util.Locale;
import java.util.Optional;

/**
 * A rotary position embedding (Su et al. 2021), or none. Layers whose rotations are equal share a table.
 *
 * @param pairing which elements of a head are rotated together
 * @param dimensions elements of a head that are rotated, from its first on; even, or 0 for none
 * @param theta base of the frequencies
 * @param positionScale positions are multiplied by it (linear scaling); 1 for none
 * @param factors the tensor of the model that stretches the wavelengths (Llama 3, LongRoPE), if one does
 * @param yarn how frequencies are stretched beside that, if they are
 * @param amplitude cosines and sines are multiplied by it
 */
public record Rotation(
        Pairing pairing, int dimensions, float theta, float positionScale, Optional<TensorRole> factors, Optional<Yarn> yarn, float amplitude) {
    /** Nothing is rotated. */
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
        if (!(theta > 0) || !Float.isFinite(theta) || !(positionScale > 0) || !(amplitude > 0) || !Float.isFinite(amplitude)) {
            throw new ModelException("constants of the rotation out of range: theta=%s, positionScale=%s, amplitude=%s"
                    .formatted(theta, positionScale, amplitude));
        }
    }

    /**
     * With positions multiplied by a number, and no other scaling.
     *
     * @param factors whether {@link TensorRole#ROTATION_FACTORS} stretches the wavelengths
     */
    public Rotation(Pairing pairing, int dimensions, float theta, float positionScale, boolean factors) {
        this(pairing, dimensions, theta, positionScale, factors ? Optional.of(TensorRole.ROTATION_FACTORS) : Optional.empty(),
                Optional.empty(), 1);
    }

    /** In plain words, of heads of a size. */
    String words(int headDim) {
        return pairing == Pairing.NONE ? "no rotation" : String.format(Locale.ROOT, "%srotated in %s (base %s%s%s%s%s)",
                dimensions == headDim ? "" : dimensions + " of them ", pairing == Pairing.HALVES ? "halves" : "neighbouring pairs", theta,
                positionScale == 1 ? "" : ", positions times " + positionScale, factors.isPresent() ? ", wavelengths stretched by a tensor" : "",
                yarn.map(stretch -> ", YaRN by " + stretch.factor()).orElse(""), amplitude == 1 ? "" : ", times " + amplitude);
    }
}
