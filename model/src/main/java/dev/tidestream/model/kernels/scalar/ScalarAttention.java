package dev.tidestream.model.kernels.scalar;

import dev.tidestream.model.tensor.AttentionShape;
import dev.tidestream.model.tensor.FloatExp;
import dev.tidestream.model.tensor.Fma;
import dev.tidestream.model.tensor.Kernels;
import dev.tidestream.model.tensor.KvHead;

/** {@link Kernels#attend} as it is specified, one query and one element at a time. */
public final class ScalarAttention {
    private ScalarAttention() {}

    static void attend(
            AttentionShape shape, KvHead head, float[] query, int queryOffset, float[] out, int outOffset, int rows, int positions) {
        for (int i = 0; i < rows * shape.group(); i++) {
            attendOne(shape, head, query, shape.queryAt(queryOffset, i), out, shape.outputAt(outOffset, i), positions + i / shape.group());
        }
    }

    private static void attendOne(
            AttentionShape shape, KvHead head, float[] query, int queryAt, float[] out, int outAt, int positions) {
        int headDim = head.headDim();
        float[] values = new float[headDim];
        float max = 0f;
        float sum = 0f;
        int first = shape.firstSeen(positions);
        int begin = first / Kernels.SEGMENT * Kernels.SEGMENT;
        for (int from = begin; from < positions; from += Kernels.SEGMENT) {
            float[] weights = new float[Math.min(Kernels.SEGMENT, positions - from)];
            int start = Math.max(0, first - from); // what is before is not seen
            float segmentMax = scores(shape, head, query, queryAt, from, start, weights);
            float segmentSum = exponentials(weights, start, segmentMax);
            float newMax = from == begin ? segmentMax : Math.max(max, segmentMax);
            float old = from == begin ? 0f : FloatExp.exp(max - newMax);
            float fresh = from == begin ? 1f : FloatExp.exp(segmentMax - newMax);
            for (int d = 0; d < headDim; d++) {
                float value = 0f;
                for (int t = start; t < weights.length; t++) {
                    value = Fma.of(weights[t], head.value(from + t, d), value);
                }
                values[d] = from == begin ? value : Fma.of(value, fresh, values[d] * old);
            }
            sum = from == begin ? segmentSum : Fma.of(segmentSum, fresh, sum * old);
            max = newMax;
        }
        float norm = 1f / sum;
        for (int d = 0; d < headDim; d++) {
            out[outAt + d] = values[d] * norm;
        }
    }

    private static float scores(
            AttentionShape shape, KvHead head, float[] query, int at, int from, int start, float[] scores) {
        float max = Float.NEGATIVE_INFINITY;
        for (int t = start; t < scores.length; t++) {
            float acc = 0f;
            for (int d = 0; d < head.headDim(); d++) {
                acc = Fma.of(query[at + d], head.key(from + t, d), acc);
            }
            float score = acc * shape.scale();
            scores[t] = shape.softcap() == 0 ? score : ScalarKernels.softcap(score, shape.softcap());
            max = scores[t] > max ? scores[t] : max; // NaN is never larger
        }
        return max;
    }

    private static float exponentials(float[] scores, int start, float max) {
        float[] partials = new float[Kernels.PARTIALS];
        for (int t = start; t < scores.length; t++) {
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
