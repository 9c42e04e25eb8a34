package dev.tidestream.model.kernels.scalar;

import dev.tidestream.model.tensor.AttentionShape;
import dev.tidestream.model.tensor.FloatExp;
import dev.tidestream.model.tensor.Kernels;
import dev.tidestream.model.tensor.KvHead;

/** {@link Kernels#attend} as it is specified, one query and one element at a time. */
public final class ScalarAttention {
    private ScalarAttention() {}

    static void attend(AttentionShape shape, KvHead head, float[] query, float[] out, int offset, int rows, int positions) {
        for (int i = 0; i < rows * shape.group(); i++) {
            attendOne(head, query, out, shape.queryAt(offset, i), positions + i / shape.group(), shape.scale());
        }
    }

    private static void attendOne(KvHead head, float[] query, float[] out, int at, int positions, float scale) {
        int headDim = head.headDim();
        float[] values = new float[headDim];
        float max = 0f;
        float sum = 0f;
        for (int from = 0; from < positions; from += Kernels.SEGMENT) {
            float[] weights = new float[Math.min(Kernels.SEGMENT, positions - from)];
            float segmentMax = scores(head, query, at, from, scale, weights);
            float segmentSum = exponentials(weights, segmentMax);
            float newMax = from == 0 ? segmentMax : Math.max(max, segmentMax);
            float old = from == 0 ? 0f : FloatExp.exp(max - newMax);
            float fresh = from == 0 ? 1f : FloatExp.exp(segmentMax - newMax);
            for (int d = 0; d < headDim; d++) {
                float value = 0f;
                for (int t = 0; t < weights.length; t++) {
                    value = Math.fma(weights[t], head.value(from + t, d), value);
                }
                values[d] = from == 0 ? value : Math.fma(value, fresh, values[d] * old);
            }
            sum = from == 0 ? segmentSum : Math.fma(segmentSum, fresh, sum * old);
            max = newMax;
        }
        float norm = 1f / sum;
        for (int d = 0; d < headDim; d++) {
            out[at + d] = values[d] * norm;
        }
    }

    private static float scores(KvHead head, float[] query, int at, int from, float scale, float[] scores) {
        float max = Float.NEGATIVE_INFINITY;
        for (int t = 0; t < scores.length; t++) {
            float acc = 0f;
            for (int d = 0; d < head.headDim(); d++) {
                acc = Math.fma(query[at + d], head.key(from + t, d), acc);
            }
            scores[t] = acc * scale;
            max = scores[t] > max ? scores[t] : max; // NaN is never larger
        }
        return max;
    }

    private static float exponentials(float[] scores, float max) {
        float[] partials = new float[Kernels.PARTIALS];
        for (int t = 0; t < scores.length; t++) {
            scores[t] = FloatExp.exp(scores[t] - max);
            partials[t % Kernels.PARTIALS] += scores[t];
        }
        return sum(partials);
    }

    public static float sum(float[] partials) {
        float sum = 0f;
        for (float partial : partials) {
            sum += partial;
        }
        return sum;
    }
}
