package dev.tidestream.model.transformer;

import java.util.Arrays;
import java.util.Map;
import java.util.Optional;

import dev.tidestream.model.architecture.AttentionPlan;
import dev.tidestream.model.architecture.Blueprint;
import dev.tidestream.model.architecture.FeedForwardPlan;
import dev.tidestream.model.architecture.LayerPlan;
import dev.tidestream.model.architecture.NormSpec;
import dev.tidestream.model.architecture.Rotation;
import dev.tidestream.model.architecture.TensorNames;
import dev.tidestream.model.architecture.TensorPlan;
import dev.tidestream.model.architecture.TensorRole;
import dev.tidestream.model.architecture.Yarn;

/** A forward pass in double, one token after the other, written from the blueprint's Javadoc and nothing else: slow and plain. */
public final class ReferenceForward {
    private final Blueprint blueprint;
    private final TensorNames names;
    private final Map<String, float[]> tensors; // row-major

    /** @param tensors by name, row-major */
    public ReferenceForward(TensorPlan plan, Map<String, float[]> tensors) {
        this.blueprint = plan.blueprint();
        this.names = plan.names();
        this.tensors = tensors;
    }

    /** Logits of all positions, (n, V). */
    public double[][] logits(int[] tokens) {
        int n = tokens.length;
        double[][] hidden = new double[n][];
        for (int t = 0; t < n; t++) {
            hidden[t] = row(names.weight(TensorRole.EMBEDDING), tokens[t], blueprint.hiddenSize());
            for (int i = 0; i < hidden[t].length; i++) {
                hidden[t][i] *= blueprint.embeddingScale();
            }
            if (blueprint.learnedPositions() > 0) {
                add(hidden[t], row(names.weight(TensorRole.POSITIONS), t, blueprint.hiddenSize()));
            }
        }
        for (int layer = 0; layer < blueprint.layers().size(); layer++) {
            LayerPlan plan = blueprint.layers().get(layer);
            double[][] attended = attention(layer, plan, hidden);
            for (int t = 0; t < n; t++) {
                add(hidden[t], norm(plan.after(), attended[t], TensorRole.ATTENTION_AFTER_NORM, layer));
                double[] out = feedForward(layer, plan.feedForward(),
                        norm(Optional.of(plan.before()), hidden[t], TensorRole.FEED_FORWARD_NORM, layer));
                add(hidden[t], norm(plan.after(), out, TensorRole.FEED_FORWARD_AFTER_NORM, layer));
            }
        }
        double[][] logits = new double[n][];
        for (int t = 0; t < n; t++) {
            double[] normed = norm(Optional.of(blueprint.outputNorm()), hidden[t], TensorRole.OUTPUT_NORM, 0);
            logits[t] = multiply(names.weight(blueprint.tied() ? TensorRole.EMBEDDING : TensorRole.OUTPUT), normed);
            for (int i = 0; i < logits[t].length; i++) {
                logits[t][i] = capped(logits[t][i], blueprint.logitSoftcap());
            }
        }
        return logits;
    }

    private double[][] attention(int layer, LayerPlan plan, double[][] hidden) {
        AttentionPlan attention = plan.attention();
        int n = hidden.length;
        double[][][] queryKeyValue = new double[n][][];
        for (int t = 0; t < n; t++) {
            queryKeyValue[t] = queryKeyValue(layer, attention,
                    norm(Optional.of(plan.before()), hidden[t], TensorRole.ATTENTION_NORM, layer), t);
        }
        double[][] out = new double[n][];
        for (int t = 0; t < n; t++) {
            double[] all = new double[attention.queryDim()];
            for (int head = 0; head < attention.heads(); head++) {
                attend(attention, queryKeyValue, t, head, all);
            }
            all = norm(attention.innerNorm(), all, TensorRole.ATTENTION_INNER_NORM, layer);
            out[t] = project(TensorRole.ATTENTION_OUTPUT, layer, attention.outputBias(), all);
        }
        return out;
    }

    private double[][] queryKeyValue(int layer, AttentionPlan attention, double[] normed, int position) {
        double[] query;
        double[] key;
        double[] value;
        if (attention.fused()) {
            double[] all = project(TensorRole.QUERY_KEY_VALUE, layer, attention.bias(), normed);
            query = Arrays.copyOfRange(all, 0, attention.queryDim());
            key = Arrays.copyOfRange(all, query.length, query.length + attention.kvDim());
            value = Arrays.copyOfRange(all, query.length + attention.kvDim(), all.length);
        } else {
            query = project(TensorRole.QUERY, layer, attention.bias(), normed);
            key = project(TensorRole.KEY, layer, attention.bias(), normed);
            value = project(TensorRole.VALUE, layer, attention.bias(), normed);
        }
        eachHead(attention, query, TensorRole.QUERY_NORM, layer, position);
        eachHead(attention, key, TensorRole.KEY_NORM, layer, position);
        return new double[][] {query, key, value};
    }

    private void eachHead(AttentionPlan attention, double[] heads, TensorRole norm, int layer, int position) {
        int size = attention.headDim();
        for (int at = 0; at < heads.length; at += size) {
            double[] head = norm(attention.queryKeyNorm(), Arrays.copyOfRange(heads, at, at + size), norm, layer);
            rotate(attention.rotation(), head, position);
            System.arraycopy(head, 0, heads, at, size);
        }
    }

    private void rotate(Rotation rotation, double[] head, int position) {
        int n = rotation.dimensions() / 2;
        for (int i = 0; i < n; i++) {
            double factor = rotation.factors().isPresent() ? tensor(names.weight(rotation.factors().get()))[i] : 1;
            double angle = position * rotation.positionScale() * Math.pow(rotation.theta(), -(double) i / n) * yarn(rotation, i) / factor;
            boolean halves = rotation.pairing() == Rotation.Pairing.HALVES;
            int first = halves ? i : 2 * i;
            int second = halves ? n + i : 2 * i + 1;
            double a = head[first];
            double b = head[second];
            head[first] = rotation.amplitude() * (a * Math.cos(angle) - b * Math.sin(angle));
            head[second] = rotation.amplitude() * (a * Math.sin(angle) + b * Math.cos(angle));
        }
    }

    /** As transformers' {@code _compute_yarn_parameters} has it: a mixture of the two frequencies. */
    private static double yarn(Rotation rotation, int pair) {
        if (rotation.yarn().isEmpty()) {
            return 1;
        }
        Yarn yarn = rotation.yarn().get();
        int dim = rotation.dimensions();
        double low = Math.max(0, Math.floor(dim * Math.log(yarn.originalContext() / (yarn.betaFast() * 2 * Math.PI))
                / (2 * Math.log(rotation.theta()))));
        double high = Math.min(dim - 1, Math.ceil(dim * Math.log(yarn.originalContext() / (yarn.betaSlow() * 2 * Math.PI))
                / (2 * Math.log(rotation.theta()))));
        if (low == high) {
            high += 0.001;
        }
        double kept = 1 - Math.min(1, Math.max(0, (pair - low) / (high - low)));
        return (1 - kept) / yarn.factor() + kept;
    }

    private static void attend(AttentionPlan attention, double[][][] queryKeyValue, int position, int head, double[] out) {
        int size = attention.headDim();
        int kvHead = head / (attention.heads() / attention.kvHeads());
        int first = attention.window() == 0 ? 0 : Math.max(0, position + 1 - attention.window());
        double sum = 0;
        for (int t = first; t <= position; t++) {
            double score = 0;
            for (int d = 0; d < size; d++) {
                score += queryKeyValue[position][0][head * size + d] * queryKeyValue[t][1][kvHead * size + d];
            }
            double weight = Math.exp(capped(score * attention.scale(), attention.softcap()));
            sum += weight;
            for (int d = 0; d < size; d++) {
                out[head * size + d] += weight * queryKeyValue[t][2][kvHead * size + d];
            }
        }
        for (int d = 0; d < size; d++) {
            out[head * size + d] /= sum;
        }
    }

    private double[] feedForward(int layer, FeedForwardPlan plan, double[] normed) {
        double[] both = plan.fused() ? project(TensorRole.GATE_UP, layer, false, normed) : new double[0];
        double[] up = plan.fused()
                ? Arrays.copyOfRange(both, plan.size(), both.length)
                : project(TensorRole.UP, layer, plan.bias(), normed);
        double[] activated = plan.fused() ? Arrays.copyOf(both, plan.size())
                : plan.gated() ? project(TensorRole.GATE, layer, plan.bias(), normed) : up.clone();
        for (int i = 0; i < activated.length; i++) {
            double x = activated[i];
            activated[i] = switch (plan.function()) {
                case SILU -> x / (1 + Math.exp(-x));
                case GELU_TANH -> 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
                case RELU_SQUARED -> x < 0 ? 0 : x * x;
            };
            activated[i] *= plan.gated() ? up[i] : 1;
        }
        return project(TensorRole.DOWN, layer, plan.bias(), norm(plan.innerNorm(), activated, TensorRole.FEED_FORWARD_INNER_NORM, layer));
    }

    private double[] project(TensorRole role, int layer, boolean bias, double[] x) {
        double[] out = multiply(names.weight(role, layer), x);
        if (bias) {
            float[] biases = tensor(names.bias(role, layer));
            for (int i = 0; i < out.length; i++) {
                out[i] += biases[i];
            }
        }
        return out;
    }

    private double[] multiply(String name, double[] x) {
        float[] matrix = tensor(name);
        double[] out = new double[matrix.length / x.length];
        for (int row = 0; row < out.length; row++) {
            for (int k = 0; k < x.length; k++) {
                out[row] += matrix[row * x.length + k] * x[k];
            }
        }
        return out;
    }

    private double[] norm(Optional<NormSpec> spec, double[] x, TensorRole role, int layer) {
        if (spec.isEmpty()) {
            return x;
        }
        boolean centred = spec.get() instanceof NormSpec.Layer;
        double offset = spec.get() instanceof NormSpec.Rms(float eps, float weightOffset) ? weightOffset : 0;
        double mean = 0;
        for (double v : x) {
            mean += centred ? v / x.length : 0;
        }
        double square = 0;
        for (double v : x) {
            square += (v - mean) * (v - mean) / x.length;
        }
        float[] weight = tensor(names.weight(role, layer));
        double[] out = new double[x.length];
        for (int i = 0; i < x.length; i++) {
            out[i] = (x[i] - mean) / Math.sqrt(square + spec.get().eps()) * (weight[i] + offset);
            out[i] += spec.get().bias() ? tensor(names.bias(role, layer))[i] : 0;
        }
        return out;
    }

    private static double capped(double x, float cap) {
        return cap == 0 ? x : cap * Math.tanh(x / cap);
    }

    private double[] row(String name, int row, int columns) {
        double[] out = new double[columns];
        for (int i = 0; i < columns; i++) {
            out[i] = tensor(name)[row * columns + i];
        }
        return out;
    }

    private static void add(double[] sum, double[] x) {
        for (int i = 0; i < sum.length; i++) {
            sum[i] += x[i];
        }
    }

    private float[] tensor(String name) {
        float[] values = tensors.get(name);
        if (values == null) {
            throw new IllegalArgumentException("no such tensor: " + name);
        }
        return values;
    }
}
