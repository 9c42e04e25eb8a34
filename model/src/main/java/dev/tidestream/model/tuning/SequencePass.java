package dev.tidestream.model.tuning;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** One sequence through the network and back. One thread. */
final class SequencePass {
    private final TuningModel model;
    private final Products products;
    private final int[] tokens; // (T), what goes in
    private final List<TunedLayer.Use> layers = new ArrayList<>();
    private final RmsNorm outputNorm;
    private final Dense logits; // (T, V)

    SequencePass(TuningModel model, int[] tokens, Products products) {
        this.model = model;
        this.products = products;
        this.tokens = tokens;
        Dense x = embed();
        for (TunedLayer layer : model.layers()) {
            TunedLayer.Use use = new TunedLayer.Use(layer, model.rotary(), x, products);
            layers.add(use);
            x = use.y();
        }
        outputNorm = new RmsNorm(model.outputNorm(), model.eps(), x);
        logits = products.timesTransposed(1, outputNorm.y(), model.head());
    }

    private Dense embed() {
        int hidden = model.embedding().columns();
        Dense x = Dense.zeros(tokens.length, hidden);
        for (int i = 0; i < tokens.length; i++) {
            System.arraycopy(model.embedding().data(), tokens[i] * hidden, x.data(), i * hidden, hidden);
        }
        return x;
    }

    Dense logits() {
        return logits;
    }

    /**
     * The sum of the negative log-likelihoods. Puts {@code softmax(logits) - target} in the place of the logits.
     *
     * @param targets {@code (T)}
     */
    double lossAndItsGradient(int[] targets) {
        double loss = 0;
        int vocabulary = logits.columns();
        double[] data = logits.data();
        for (int row = 0; row < tokens.length; row++) {
            int at = row * vocabulary;
            double max = Double.NEGATIVE_INFINITY;
            for (int i = 0; i < vocabulary; i++) {
                max = Math.max(max, data[at + i]);
            }
            double target = data[at + targets[row]];
            double sum = 0;
            for (int i = 0; i < vocabulary; i++) {
                data[at + i] = StrictMath.exp(data[at + i] - max);
                sum += data[at + i];
            }
            for (int i = 0; i < vocabulary; i++) {
                data[at + i] /= sum;
            }
            data[at + targets[row]] -= 1;
            loss += max + StrictMath.log(sum) - target;
        }
        return loss;
    }

    /**
     * Adds to the gradients, once {@link #lossAndItsGradient} was called.
     *
     * @param scale the gradient is multiplied by it: 1 / tokens for that of a mean
     */
    void backward(double scale, Gradients gradients) {
        for (int i = 0; i < logits.data().length; i++) {
            logits.data()[i] *= scale;
        }
        Dense dHidden = products.product(logits, model.head());
        Dense gradient = Dense.zeros(dHidden.rows(), dHidden.columns());
        outputNorm.backward(dHidden, gradient);
        for (TunedLayer.Use layer : layers.reversed()) {
            layer.backward(gradient, gradients);
        }
        model.rows().ifPresent(rows -> rowsBackward(rows, gradient, gradients.of(rows.values())));
    }

    /** Both uses of the rows: as the head's, if it is tied, and as the input's. */
    private void rowsBackward(EmbeddingRows rows, Dense dInput, double[] out) {
        int[] trained = rows.tokens();
        if (model.tied()) {
            Dense some = Dense.zeros(logits.rows(), trained.length);
            for (int row = 0; row < logits.rows(); row++) {
                for (int i = 0; i < trained.length; i++) {
                    some.data()[row * trained.length + i] = logits.data()[row * logits.columns() + trained[i]];
                }
            }
            products.addTransposedTimes(1, some, outputNorm.y(), out);
        }
        int hidden = dInput.columns();
        for (int i = 0; i < tokens.length; i++) {
            int row = Arrays.binarySearch(trained, tokens[i]);
            for (int j = 0; row >= 0 && j < hidden; j++) {
                out[row * hidden + j] += dInput.data()[i * hidden + j];
            }
        }
    }
}
