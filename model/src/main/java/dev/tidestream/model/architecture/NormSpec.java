package dev.tidestream.model.architecture;

/** A normalisation, without its weights. */
public sealed interface NormSpec {

    /** Added to what the root is taken of. */
    float eps();

    /** Whether there is a bias beside the weight. */
    boolean bias();

    /** In plain words. */
    String words();

    /**
     * Root mean square normalisation (Zhang and Sennrich 2019).
     *
     * @param weightOffset added to each weight; 1 where a file holds weights less 1
     */
    record Rms(float eps, float weightOffset) implements NormSpec {
        public Rms {
            requireEps(eps);
        }

        /** With the weights as they are. */
        public Rms(float eps) {
            this(eps, 0);
        }

        @Override
        public boolean bias() {
            return false;
        }

        @Override
        public String words() {
            return "RMS norm (eps %s%s)".formatted(eps, weightOffset == 0 ? "" : ", weights plus " + weightOffset);
        }
    }

    /** Layer normalisation (Ba et al. 2016). */
    record Layer(float eps, boolean bias) implements NormSpec {
        public Layer {
            requireEps(eps);
        }

        @Override
        public String words() {
            return "layer norm (eps %s%s)".formatted(eps, bias ? ", with bias" : "");
        }
    }

    private static void requireEps(float eps) {
        if (!(eps >= 0) || !Float.isFinite(eps)) {
            throw new ModelException("eps of a norm must be a number from 0 on: " + eps);
        }
    }
}
