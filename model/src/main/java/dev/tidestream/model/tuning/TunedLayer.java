package dev.tidestream.model.tuning;

import java.util.List;

import dev.tidestream.model.architecture.AttentionPlan;

/**
 * One layer's weights.
 *
 * @param attentionNorm {@code (H)}
 * @param query {@code (heads * headDim, H)}
 * @param key {@code (kvHeads * headDim, H)}
 * @param value {@code (kvHeads * headDim, H)}
 * @param output {@code (H, heads * headDim)}
 * @param feedForwardNorm {@code (H)}
 * @param gate {@code (F, H)}
 * @param up {@code (F, H)}
 * @param down {@code (H, F)}
 */
record TunedLayer(
        AttentionPlan attention, double eps, double[] attentionNorm, Linear query, Linear key, Linear value, Linear output,
        double[] feedForwardNorm, Linear gate, Linear up, Linear down) {

    List<Linear> linears() {
        return List.of(query, key, value, output, gate, up, down);
    }

    /** One use of the layer on a sequence: forward, then backward. */
    static final class Use {
        private final Rotary rotary;
        private final RmsNorm attentionNorm;
        private final Linear.Use query;
        private final Linear.Use key;
        private final Linear.Use value;
        private final CausalAttention attention;
        private final Linear.Use output;
        private final RmsNorm feedForwardNorm;
        private final Linear.Use gate;
        private final Linear.Use up;
        private final SwiGlu gated;
        private final Linear.Use down;
        private final Dense y; // (T, H)

        /** @param x {@code (T, H)} */
        Use(TunedLayer layer, Rotary rotary, Dense x, Products products) {
            this.rotary = rotary;
            attentionNorm = new RmsNorm(layer.attentionNorm, layer.eps, x);
            query = new Linear.Use(layer.query, attentionNorm.y(), products);
            key = new Linear.Use(layer.key, attentionNorm.y(), products);
            value = new Linear.Use(layer.value, attentionNorm.y(), products);
            rotary.forward(query.y());
            rotary.forward(key.y());
            attention = new CausalAttention(layer.attention, query.y(), key.y(), value.y(), products);
            output = new Linear.Use(layer.output, attention.y(), products);
            Dense middle = x.copy();
            middle.add(output.y());
            feedForwardNorm = new RmsNorm(layer.feedForwardNorm, layer.eps, middle);
            gate = new Linear.Use(layer.gate, feedForwardNorm.y(), products);
            up = new Linear.Use(layer.up, feedForwardNorm.y(), products);
            gated = new SwiGlu(gate.y(), up.y());
            down = new Linear.Use(layer.down, gated.y(), products);
            y = middle.copy();
            y.add(down.y());
        }

        Dense y() {
            return y;
        }

        /** The gradient of the input, in place of that of the output. */
        void backward(Dense gradient, Gradients gradients) {
            Dense dGated = like(gated.y());
            down.backward(gradient, gradients, dGated);
            Dense dGate = like(gate.y());
            Dense dUp = like(up.y());
            gated.backward(dGated, dGate, dUp);
            Dense dNorm = like(feedForwardNorm.y());
            gate.backward(dGate, gradients, dNorm);
            up.backward(dUp, gradients, dNorm);
            feedForwardNorm.backward(dNorm, gradient);

            Dense dAttention = like(attention.y());
            output.backward(gradient, gradients, dAttention);
            Dense dQuery = like(query.y());
            Dense dKey = like(key.y());
            Dense dValue = like(value.y());
            attention.backward(dAttention, dQuery, dKey, dValue);
            rotary.backward(dQuery);
            rotary.backward(dKey);
            Dense dInput = like(attentionNorm.y());
            query.backward(dQuery, gradients, dInput);
            key.backward(dKey, gradients, dInput);
            value.backward(dValue, gradients, dInput);
            attentionNorm.backward(dInput, gradient);
        }

        private static Dense like(Dense other) {
            return Dense.zeros(other.rows(), other.columns());
        }
    }
}
