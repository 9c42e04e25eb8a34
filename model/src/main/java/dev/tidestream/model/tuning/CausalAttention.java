package dev.tidestream.model.tuning;

import dev.tidestream.model.architecture.AttentionPlan;

/** Causal attention with grouped queries over one sequence that begins at position 0. */
final class CausalAttention {
    private final AttentionPlan plan;
    private final Products products;
    private final Dense queries; // (T, heads * headDim), rotated
    private final Dense keys; // (T, kvHeads * headDim), rotated
    private final Dense values; // (T, kvHeads * headDim)
    private final Dense[] weights; // by head: (T, T)
    private final Dense y; // (T, heads * headDim)

    CausalAttention(AttentionPlan plan, Dense queries, Dense keys, Dense values, Products products) {
        this.plan = plan;
        this.products = products;
        this.queries = queries;
        this.keys = keys;
        this.values = values;
        this.weights = new Dense[plan.heads()];
        this.y = Dense.zeros(queries.rows(), queries.columns());
        for (int head = 0; head < plan.heads(); head++) {
            weights[head] = products.timesTransposed(plan.scale(), query(head), ofGroup(keys, head));
            softmax(weights[head]);
            y.addColumns(head * plan.headDim(), products.product(weights[head], ofGroup(values, head)));
        }
    }

    private Dense query(int head) {
        return queries.columns(head * plan.headDim(), plan.headDim());
    }

    private int groupColumn(int head) {
        return head / (plan.heads() / plan.kvHeads()) * plan.headDim();
    }

    private Dense ofGroup(Dense all, int head) {
        return all.columns(groupColumn(head), plan.headDim());
    }

    /** Of each row up to the diagonal; what lies behind it becomes 0. */
    private static void softmax(Dense scores) {
        double[] data = scores.data();
        for (int row = 0; row < scores.rows(); row++) {
            int at = row * scores.columns();
            double max = Double.NEGATIVE_INFINITY;
            for (int i = 0; i <= row; i++) {
                max = Math.max(max, data[at + i]);
            }
            double sum = 0;
            for (int i = 0; i < scores.columns(); i++) {
                data[at + i] = i <= row ? StrictMath.exp(data[at + i] - max) : 0;
                sum += data[at + i];
            }
            for (int i = 0; i <= row; i++) {
                data[at + i] /= sum;
            }
        }
    }

    Dense y() {
        return y;
    }

    /** Adds to the gradients of queries, keys and values; shapes as theirs. */
    void backward(Dense dy, Dense dQueries, Dense dKeys, Dense dValues) {
        int size = plan.headDim();
        for (int head = 0; head < plan.heads(); head++) {
            Dense dHead = dy.columns(head * size, size);
            Dense dValue = Dense.zeros(dHead.rows(), size);
            products.addTransposedTimes(1, weights[head], dHead, dValue.data());
            dValues.addColumns(groupColumn(head), dValue);
            Dense dScores = products.timesTransposed(1, dHead, ofGroup(values, head));
            softmaxBackward(weights[head], dScores);
            Dense dQuery = Dense.zeros(dHead.rows(), size);
            products.addProduct(plan.scale(), dScores, ofGroup(keys, head), dQuery);
            dQueries.addColumns(head * size, dQuery);
            Dense dKey = Dense.zeros(dHead.rows(), size);
            products.addTransposedTimes(plan.scale(), dScores, query(head), dKey.data());
            dKeys.addColumns(groupColumn(head), dKey);
        }
    }

    private static void softmaxBackward(Dense weights, Dense gradient) {
        for (int row = 0; row < weights.rows(); row++) {
            int at = row * weights.columns();
            double dot = 0;
            for (int i = 0; i < weights.columns(); i++) {
                dot += weights.data()[at + i] * gradient.data()[at + i];
            }
            for (int i = 0; i < weights.columns(); i++) {
                gradient.data()[at + i] = weights.data()[at + i] * (gradient.data()[at + i] - dot);
            }
        }
    }
}
