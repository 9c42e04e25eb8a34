package dev.tidestream.model.tuning;

import org.jspecify.annotations.Nullable;

/**
 * A linear layer: {@code y = x * transposed(weight + scale * b * a)}. The weight itself is not trained.
 *
 * @param tensor GGUF name
 * @param weight {@code (out, in)}
 * @param lowRank what is trained beside it, if anything is
 */
record Linear(String tensor, Dense weight, @Nullable LowRank lowRank) {

    /** One use of the layer: forward, then backward. */
    static final class Use {
        private final Linear layer;
        private final Products products;
        private final Dense x; // (T, in)
        private final @Nullable Dense inner; // (T, rank)
        private final Dense y; // (T, out)

        Use(Linear layer, Dense x, Products products) {
            this.layer = layer;
            this.products = products;
            this.x = x;
            this.y = products.timesTransposed(1, x, layer.weight);
            LowRank lowRank = layer.lowRank;
            this.inner = lowRank == null ? null : products.timesTransposed(1, x, lowRank.a().dense());
            if (lowRank != null && inner != null) {
                products.addTimesTransposed(lowRank.scale(), inner, lowRank.b().dense(), y);
            }
        }

        Dense y() {
            return y;
        }

        /**
         * Adds to the gradients of the layer, and to that of its input.
         *
         * @param dy {@code (T, out)}
         * @param dx {@code (T, in)}
         */
        void backward(Dense dy, Gradients gradients, Dense dx) {
            products.addProduct(1, dy, layer.weight, dx);
            LowRank lowRank = layer.lowRank;
            if (lowRank != null && inner != null) {
                products.addTransposedTimes(lowRank.scale(), dy, inner, gradients.of(lowRank.b()));
                Dense dInner = Dense.zeros(inner.rows(), inner.columns());
                products.addProduct(lowRank.scale(), dy, lowRank.b().dense(), dInner);
                products.addTransposedTimes(1, dInner, x, gradients.of(lowRank.a()));
                products.addProduct(1, dInner, lowRank.a().dense(), dx);
            }
        }
    }
}
