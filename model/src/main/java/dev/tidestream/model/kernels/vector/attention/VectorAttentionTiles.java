package dev.tidestream.model.kernels.vector.attention;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

import dev.tidestream.model.kernels.vector.base.VectorExp;
import dev.tidestream.model.kernels.vector.base.VectorHalf;
import dev.tidestream.model.tensor.FloatExp;
import dev.tidestream.model.tensor.KvHead;

import static dev.tidestream.model.kernels.vector.base.VectorShapes.F;
import static dev.tidestream.model.kernels.vector.base.VectorShapes.I;
import static dev.tidestream.model.kernels.vector.base.VectorShapes.L;
import static dev.tidestream.model.kernels.vector.base.VectorShapes.LITTLE;
import static dev.tidestream.model.tensor.Kernels.PARTIALS;

/**
 * The arithmetic of {@link VectorAttention}. Lanes are positions in scores and dimensions in values, so no sum is taken across
 * lanes. Sixteen chains of fma are in flight in the two methods where the time goes: four queries by four vectors, so that what is
 * loaded is used four times. No vector crosses a call but those of the Vector API.
 */
final class VectorAttentionTiles {
    /** Positions of a tile of keys. */
    static final int KEYS = 64;

    private static final int BLOCK = KvHead.BLOCK_POSITIONS;

    private VectorAttentionTiles() {}

    /**
     * Keys or values of the block that position t is in, as float32: group g of 32 goes to {@code tile[g * stride + column]}.
     *
     * @param offset bytes from the block's start
     */
    static void unpack(KvHead head, int t, long offset, int groups, float[] tile, int stride, int column) {
        MemorySegment block = head.blocks()[t / BLOCK];
        switch (head.type()) {
            case F16 -> unpackHalves(block, offset, groups, tile, stride, column);
            case F32 -> copyFloats(block, offset, groups, tile, stride, column);
        }
    }

    /** See {@link VectorHalf}. */
    private static void unpackHalves(MemorySegment block, long offset, int groups, float[] tile, int stride, int column) {
        for (int part = 0; part < BLOCK / 2; part += L) {
            for (int g = 0; g < groups; g++) {
                IntVector pair = IntVector.fromMemorySegment(I, block, offset + (g * (BLOCK / 2) + part) * 4L, LITTLE);
                VectorHalf.lowHalf(pair).intoArray(tile, g * stride + column + part);
                VectorHalf.highHalf(pair).intoArray(tile, g * stride + column + part + BLOCK / 2);
            }
        }
    }

    private static void copyFloats(MemorySegment block, long offset, int groups, float[] tile, int stride, int column) {
        for (int part = 0; part < BLOCK; part += L) {
            for (int g = 0; g < groups; g++) {
                FloatVector.fromMemorySegment(F, block, offset + (g * BLOCK + part) * 4L, LITTLE)
                        .intoArray(tile, g * stride + column + part);
            }
        }
    }

    /** {@code (64)} scores of four queries. */
    static void scores4(
            float[] keys, int headDim, float[] query, int q0, int q1, int q2, int q3,
            float scale, float[] scores, int to0, int to1, int to2, int to3) {
        for (int t = 0; t < KEYS; t += 4 * L) {
            FloatVector a0 = FloatVector.zero(F);
            FloatVector a1 = a0;
            FloatVector a2 = a0;
            FloatVector a3 = a0;
            FloatVector b0 = a0;
            FloatVector b1 = a0;
            FloatVector b2 = a0;
            FloatVector b3 = a0;
            FloatVector c0 = a0;
            FloatVector c1 = a0;
            FloatVector c2 = a0;
            FloatVector c3 = a0;
            FloatVector d0 = a0;
            FloatVector d1 = a0;
            FloatVector d2 = a0;
            FloatVector d3 = a0;
            for (int d = 0; d < headDim; d++) {
                FloatVector k0 = FloatVector.fromArray(F, keys, d * KEYS + t);
                FloatVector k1 = FloatVector.fromArray(F, keys, d * KEYS + t + L);
                FloatVector k2 = FloatVector.fromArray(F, keys, d * KEYS + t + 2 * L);
                FloatVector k3 = FloatVector.fromArray(F, keys, d * KEYS + t + 3 * L);
                FloatVector q = FloatVector.broadcast(F, query[q0 + d]);
                a0 = q.fma(k0, a0);
                a1 = q.fma(k1, a1);
                a2 = q.fma(k2, a2);
                a3 = q.fma(k3, a3);
                q = FloatVector.broadcast(F, query[q1 + d]);
                b0 = q.fma(k0, b0);
                b1 = q.fma(k1, b1);
                b2 = q.fma(k2, b2);
                b3 = q.fma(k3, b3);
                q = FloatVector.broadcast(F, query[q2 + d]);
                c0 = q.fma(k0, c0);
                c1 = q.fma(k1, c1);
                c2 = q.fma(k2, c2);
                c3 = q.fma(k3, c3);
                q = FloatVector.broadcast(F, query[q3 + d]);
                d0 = q.fma(k0, d0);
                d1 = q.fma(k1, d1);
                d2 = q.fma(k2, d2);
                d3 = q.fma(k3, d3);
            }
            a0.mul(scale).intoArray(scores, to0 + t);
            a1.mul(scale).intoArray(scores, to0 + t + L);
            a2.mul(scale).intoArray(scores, to0 + t + 2 * L);
            a3.mul(scale).intoArray(scores, to0 + t + 3 * L);
            b0.mul(scale).intoArray(scores, to1 + t);
            b1.mul(scale).intoArray(scores, to1 + t + L);
            b2.mul(scale).intoArray(scores, to1 + t + 2 * L);
            b3.mul(scale).intoArray(scores, to1 + t + 3 * L);
            c0.mul(scale).intoArray(scores, to2 + t);
            c1.mul(scale).intoArray(scores, to2 + t + L);
            c2.mul(scale).intoArray(scores, to2 + t + 2 * L);
            c3.mul(scale).intoArray(scores, to2 + t + 3 * L);
            d0.mul(scale).intoArray(scores, to3 + t);
            d1.mul(scale).intoArray(scores, to3 + t + L);
            d2.mul(scale).intoArray(scores, to3 + t + 2 * L);
            d3.mul(scale).intoArray(scores, to3 + t + 3 * L);
        }
    }

    /** {@code (64)} scores of one query. */
    static void scores1(float[] keys, int headDim, float[] query, int q, float scale, float[] scores, int to) {
        for (int t = 0; t < KEYS; t += 4 * L) {
            FloatVector a0 = FloatVector.zero(F);
            FloatVector a1 = a0;
            FloatVector a2 = a0;
            FloatVector a3 = a0;
            for (int d = 0; d < headDim; d++) {
                FloatVector a = FloatVector.broadcast(F, query[q + d]);
                a0 = a.fma(FloatVector.fromArray(F, keys, d * KEYS + t), a0);
                a1 = a.fma(FloatVector.fromArray(F, keys, d * KEYS + t + L), a1);
                a2 = a.fma(FloatVector.fromArray(F, keys, d * KEYS + t + 2 * L), a2);
                a3 = a.fma(FloatVector.fromArray(F, keys, d * KEYS + t + 3 * L), a3);
            }
            a0.mul(scale).intoArray(scores, to + t);
            a1.mul(scale).intoArray(scores, to + t + L);
            a2.mul(scale).intoArray(scores, to + t + 2 * L);
            a3.mul(scale).intoArray(scores, to + t + 3 * L);
        }
    }

    /** Adds {@code count} weighted values to the sums {@code (paddedDim)} of four queries. */
    static void values4(
            float[] tile, int paddedDim, int count, float[] weights, int w0, int w1, int w2, int w3,
            float[] sums, int s0, int s1, int s2, int s3) {
        if (paddedDim % (4 * L) == 0) {
            values4by4(tile, paddedDim, count, weights, w0, w1, w2, w3, sums, s0, s1, s2, s3);
        } else {
            values4by2(tile, paddedDim, count, weights, w0, w1, w2, w3, sums, s0, s1, s2, s3);
        }
    }

    private static void values4by4(
            float[] tile, int paddedDim, int count, float[] weights, int w0, int w1, int w2, int w3,
            float[] sums, int s0, int s1, int s2, int s3) {
        for (int d = 0; d < paddedDim; d += 4 * L) {
            FloatVector a0 = FloatVector.fromArray(F, sums, s0 + d);
            FloatVector a1 = FloatVector.fromArray(F, sums, s0 + d + L);
            FloatVector a2 = FloatVector.fromArray(F, sums, s0 + d + 2 * L);
            FloatVector a3 = FloatVector.fromArray(F, sums, s0 + d + 3 * L);
            FloatVector b0 = FloatVector.fromArray(F, sums, s1 + d);
            FloatVector b1 = FloatVector.fromArray(F, sums, s1 + d + L);
            FloatVector b2 = FloatVector.fromArray(F, sums, s1 + d + 2 * L);
            FloatVector b3 = FloatVector.fromArray(F, sums, s1 + d + 3 * L);
            FloatVector c0 = FloatVector.fromArray(F, sums, s2 + d);
            FloatVector c1 = FloatVector.fromArray(F, sums, s2 + d + L);
            FloatVector c2 = FloatVector.fromArray(F, sums, s2 + d + 2 * L);
            FloatVector c3 = FloatVector.fromArray(F, sums, s2 + d + 3 * L);
            FloatVector d0 = FloatVector.fromArray(F, sums, s3 + d);
            FloatVector d1 = FloatVector.fromArray(F, sums, s3 + d + L);
            FloatVector d2 = FloatVector.fromArray(F, sums, s3 + d + 2 * L);
            FloatVector d3 = FloatVector.fromArray(F, sums, s3 + d + 3 * L);
            for (int t = 0; t < count; t++) {
                FloatVector v0 = FloatVector.fromArray(F, tile, t * paddedDim + d);
                FloatVector v1 = FloatVector.fromArray(F, tile, t * paddedDim + d + L);
                FloatVector v2 = FloatVector.fromArray(F, tile, t * paddedDim + d + 2 * L);
                FloatVector v3 = FloatVector.fromArray(F, tile, t * paddedDim + d + 3 * L);
                FloatVector w = FloatVector.broadcast(F, weights[w0 + t]);
                a0 = w.fma(v0, a0);
                a1 = w.fma(v1, a1);
                a2 = w.fma(v2, a2);
                a3 = w.fma(v3, a3);
                w = FloatVector.broadcast(F, weights[w1 + t]);
                b0 = w.fma(v0, b0);
                b1 = w.fma(v1, b1);
                b2 = w.fma(v2, b2);
                b3 = w.fma(v3, b3);
                w = FloatVector.broadcast(F, weights[w2 + t]);
                c0 = w.fma(v0, c0);
                c1 = w.fma(v1, c1);
                c2 = w.fma(v2, c2);
                c3 = w.fma(v3, c3);
                w = FloatVector.broadcast(F, weights[w3 + t]);
                d0 = w.fma(v0, d0);
                d1 = w.fma(v1, d1);
                d2 = w.fma(v2, d2);
                d3 = w.fma(v3, d3);
            }
            a0.intoArray(sums, s0 + d);
            a1.intoArray(sums, s0 + d + L);
            a2.intoArray(sums, s0 + d + 2 * L);
            a3.intoArray(sums, s0 + d + 3 * L);
            b0.intoArray(sums, s1 + d);
            b1.intoArray(sums, s1 + d + L);
            b2.intoArray(sums, s1 + d + 2 * L);
            b3.intoArray(sums, s1 + d + 3 * L);
            c0.intoArray(sums, s2 + d);
            c1.intoArray(sums, s2 + d + L);
            c2.intoArray(sums, s2 + d + 2 * L);
            c3.intoArray(sums, s2 + d + 3 * L);
            d0.intoArray(sums, s3 + d);
            d1.intoArray(sums, s3 + d + L);
            d2.intoArray(sums, s3 + d + 2 * L);
            d3.intoArray(sums, s3 + d + 3 * L);
        }
    }

    private static void values4by2(
            float[] tile, int paddedDim, int count, float[] weights, int w0, int w1, int w2, int w3,
            float[] sums, int s0, int s1, int s2, int s3) {
        for (int d = 0; d < paddedDim; d += 2 * L) {
            FloatVector a0 = FloatVector.fromArray(F, sums, s0 + d);
            FloatVector a1 = FloatVector.fromArray(F, sums, s0 + d + L);
            FloatVector b0 = FloatVector.fromArray(F, sums, s1 + d);
            FloatVector b1 = FloatVector.fromArray(F, sums, s1 + d + L);
            FloatVector c0 = FloatVector.fromArray(F, sums, s2 + d);
            FloatVector c1 = FloatVector.fromArray(F, sums, s2 + d + L);
            FloatVector d0 = FloatVector.fromArray(F, sums, s3 + d);
            FloatVector d1 = FloatVector.fromArray(F, sums, s3 + d + L);
            for (int t = 0; t < count; t++) {
                FloatVector v0 = FloatVector.fromArray(F, tile, t * paddedDim + d);
                FloatVector v1 = FloatVector.fromArray(F, tile, t * paddedDim + d + L);
                FloatVector a = FloatVector.broadcast(F, weights[w0 + t]);
                FloatVector b = FloatVector.broadcast(F, weights[w1 + t]);
                FloatVector c = FloatVector.broadcast(F, weights[w2 + t]);
                FloatVector e = FloatVector.broadcast(F, weights[w3 + t]);
                a0 = a.fma(v0, a0);
                a1 = a.fma(v1, a1);
                b0 = b.fma(v0, b0);
                b1 = b.fma(v1, b1);
                c0 = c.fma(v0, c0);
                c1 = c.fma(v1, c1);
                d0 = e.fma(v0, d0);
                d1 = e.fma(v1, d1);
            }
            a0.intoArray(sums, s0 + d);
            a1.intoArray(sums, s0 + d + L);
            b0.intoArray(sums, s1 + d);
            b1.intoArray(sums, s1 + d + L);
            c0.intoArray(sums, s2 + d);
            c1.intoArray(sums, s2 + d + L);
            d0.intoArray(sums, s3 + d);
            d1.intoArray(sums, s3 + d + L);
        }
    }

    /** Adds the weighted values of slots {@code from <= t < to} to the sums {@code (paddedDim)} of one query. */
    static void values1(float[] tile, int paddedDim, int from, int to, float[] weights, int w, float[] sums, int s) {
        for (int d = 0; d < paddedDim; d += 2 * L) {
            FloatVector a0 = FloatVector.fromArray(F, sums, s + d);
            FloatVector a1 = FloatVector.fromArray(F, sums, s + d + L);
            for (int t = from; t < to; t++) {
                FloatVector a = FloatVector.broadcast(F, weights[w + t]);
                a0 = a.fma(FloatVector.fromArray(F, tile, t * paddedDim + d), a0);
                a1 = a.fma(FloatVector.fromArray(F, tile, t * paddedDim + d + L), a1);
            }
            a0.intoArray(sums, s + d);
            a1.intoArray(sums, s + d + L);
        }
    }

    /** The largest of some scores; NaN is never larger. */
    static float max(float[] scores, int at, int count, float[] partials) {
        FloatVector max = FloatVector.broadcast(F, Float.NEGATIVE_INFINITY);
        int t = 0;
        for (; t <= count - L; t += L) {
            FloatVector score = FloatVector.fromArray(F, scores, at + t);
            max = max.blend(score, score.compare(VectorOperators.GT, max));
        }
        max.intoArray(partials, 0);
        float largest = Float.NEGATIVE_INFINITY;
        for (int i = 0; i < L; i++) {
            largest = partials[i] > largest ? partials[i] : largest;
        }
        for (; t < count; t++) {
            largest = scores[at + t] > largest ? scores[at + t] : largest;
        }
        return largest;
    }

    /** Replaces scores {@code from <= t < count} by {@code exp(score - max)} and gives the 16 partial sums. */
    static void exponentials(float[] scores, int at, int from, int count, float max, float[] partials) {
        int begin = Math.min(count, Math.ceilDiv(from, PARTIALS) * PARTIALS);
        int whole = count - count % PARTIALS;
        Arrays.fill(partials, 0, PARTIALS, 0);
        singleExponentials(scores, at, from, begin, max, partials);
        if (begin < whole) {
            wholeExponentials(scores, at, begin, whole, max, partials);
        }
        singleExponentials(scores, at, Math.max(begin, whole), count, max, partials);
    }

    private static void singleExponentials(float[] scores, int at, int from, int to, float max, float[] partials) {
        for (int t = from; t < to; t++) {
            scores[at + t] = FloatExp.exp(scores[at + t] - max);
            partials[t % PARTIALS] += scores[at + t];
        }
    }

    /**
     * At least 16 of them. A method of its own: C2 inlines what its caller's profile shows as often called, and after a start with
     * short contexts only, {@code exp} was not. Vectors in and out of a call are boxes: 60 MB per second of decoding (1B shape).
     */
    private static void wholeExponentials(float[] scores, int at, int from, int to, float max, float[] partials) {
        for (int part = 0; part < PARTIALS; part += L) {
            FloatVector sum = FloatVector.fromArray(F, partials, part);
            for (int t = from + part; t < to; t += PARTIALS) {
                FloatVector e = VectorExp.exp(FloatVector.fromArray(F, scores, at + t).sub(max));
                e.intoArray(scores, at + t);
                sum = sum.add(e);
            }
            sum.intoArray(partials, part);
        }
    }

    /** {@code values = fma(fresh, freshScale, values * scale)}. */
    static void join(float[] values, float[] fresh, int at, int paddedDim, float scale, float freshScale) {
        for (int d = at; d < at + paddedDim; d += L) {
            FloatVector old = FloatVector.fromArray(F, values, d).mul(scale);
            FloatVector.fromArray(F, fresh, d).fma(FloatVector.broadcast(F, freshScale), old).intoArray(values, d);
        }
    }

    /** {@code out = values * factor}. */
    static void scale(float[] values, int from, float factor, float[] out, int to, int headDim) {
        int d = 0;
        for (; d <= headDim - L; d += L) {
            FloatVector.fromArray(F, values, from + d).mul(factor).intoArray(out, to + d);
        }
        for (; d < headDim; d++) {
            out[to + d] = values[from + d] * factor;
        }
    }
}
