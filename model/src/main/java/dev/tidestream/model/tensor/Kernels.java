package dev.tidestream.model.tensor;

import dev.tidestream.model.format.base.Rounding;

/**
 * The one interface to the arithmetic. Its implementations, in {@code model.kernels}, agree to the bit: {@code ScalarKernels},
 * the oracle, {@code VectorKernels} and {@code GeneratedKernels}. What they compute is specified here, rounding by rounding;
 * {@code fma} rounds once.
 *
 * <p>Implementations have no state but scratch space of the calling thread; any thread may call them. Arguments are trusted:
 * callers check shapes once, when a model is built.
 *
 * <p>What is a plain loop, with one rounding or a few per element, is not here, since one implementation serves all: biases
 * ({@link MatrixGroup}), residual sums, the scale of embeddings, and rotation.
 */
public interface Kernels {

    /** Lanes of the fixed partial sums that stand in for a sum across lanes, at any vector width. */
    int PARTIALS = 16;

    /** Positions whose weights share a maximum. */
    int SEGMENT = 256;

    /** Values of a row that give {@link #PARTIALS} maxima. */
    int MAXIMA_TILE = 1024;

    /** What it is, e.g. {@code vector-512}. */
    String title();

    /**
     * The int8 form of x that these kernels read; made if there is none, and of the rows as they are if those are quantised. Bits
     * depend on the row alone. Of each block of 32 values:
     *
     * <ul>
     *   <li>{@code m} is the largest magnitude of the block; or, if rows have one scale ({@code ActivationScaling.ROW}), the
     *       largest of the row, and 1e-5 at least. NaN if one of these values is NaN.
     *   <li>The scale is {@code m / 127}, rounded to float32.
     *   <li>{@code t = 127 / m}, rounded to float32. A quant is {@code rint(x * t)}: the product is rounded to float32, then to
     *       the nearest integer, ties to even. The quants of a block are 0 if {@code m} or {@code t} is not finite: if a value is
     *       NaN or infinite, or, where blocks have scales, if all are zero, or if all are so small (below 127 / 2^128) that
     *       {@code t} overflows.
     * </ul>
     *
     * <p>This is llama.cpp's Q8_0, with the scale kept in float32; or with one scale for a row, BitNet's absmax. All quants are
     * of magnitude 127 at most.
     *
     * @param x its columns are a multiple of 32
     */
    ActivationEncoding encoding(Activations x);

    /**
     * {@code out[b][row] = sum over k of w[row][k] * x[b][k]}, for the rows of some panels and all rows b of x. How that is
     * rounded depends on the family of the format of w ({@link Rounding}) and on whether x is quantised.
     *
     * <p>With float activations:
     *
     * <ul>
     *   <li>PLAIN (F32, F16, BF16): {@code acc = fma(x[k], w[k], acc)}, k ascending from {@code acc = 0}.
     *   <li>BLOCKS (Q8_0, Q4_0, Q5_0, IQ4_NL, TQ1_0, TQ2_0, I2_S), per block of 32: {@code a} and {@code b} are chains like that over the integers of the
     *       block's columns 0–15 and 16–31, each from 0; then {@code acc = fma(d, a + b, acc)}.
     *   <li>BLOCKS_WITH_MINIMA (Q4_1, Q5_1), SUPER_BLOCKS_WITH_MINIMA (Q4_K, Q5_K), HALVES_WITH_MINIMA: as PLAIN, where
     *       {@code w = fma(d * scale, q, m * min)}: the element, since the products are exact.
     *   <li>HALVES (Q6_K), per 16 columns: {@code a} and {@code b} are chains over the integers of columns 0–7 and 8–15, each from 0;
     *       then {@code acc = fma(d * scale, a + b, acc)}.
     * </ul>
     *
     * <p>With int8 activations, per block of 32: {@code i} is the exact integer dot product of the quants with q, times the scale
     * (of each half with its own scale, added); then {@code acc = fma(d * dx, i, acc)}. Where there are minima, {@code n} is the
     * sum of the quants, times the minimum (of each half likewise); then {@code acc = fma(m * dx, n, acc)}. Here m is
     * {@code -dmin} where the format subtracts its minima, and scales and minima are 1 where it has none.
     *
     * <p>What is called exact is an integer below 2^24 in magnitude, in any order of summation: with {@code |x| <= 127},
     * {@code i} is at most 63 · 32 · 31 · 127 = 7,936,992 (Q5_K) or 2 · 128 · 16 · 32 · 127 = 16,646,144 (Q6_K), and {@code n} at
     * most 63 · 32 · 127 = 256,032. Products of an F16 (11 bits), an int8 or 6-bit scale and a quant of up to 6 bits have at most
     * 24 bits, so {@code d * scale}, {@code m * min} and {@code d * scale * q} are exact, too.
     *
     * @param x (b, columns)
     * @param out row b begins at {@code outOffset + b * outStride}; only the rows of these panels are written
     * @param fromPanel first panel, inclusive
     * @param toPanel last panel, exclusive
     */
    void multiply(PanelMatrix w, Activations x, float[] out, int outStride, int outOffset, int fromPanel, int toPanel);

    /**
     * Normalisation of a row of n values. {@code x[i]^2} is added by fma to partial {@code i mod 16}; the partials are added in
     * order, in double; {@code r = (float) (1 / sqrt(sum / n + eps))}, in double. Then {@code out[i] = x[i] * r * weight[i]},
     * multiplied left to right, or with biases {@code out[i] = fma(x[i] * r, weight[i], bias[i])}.
     *
     * <p>If the norm is centred, {@code d[i] = x[i] - mean} stands in the place of {@code x[i]} everywhere, with
     * {@code mean = (float) (sum / n)}, in double, of the {@code x[i]} added to partial {@code i mod 16}, and those added in
     * order, in double.
     *
     * @param x (n) from {@code xOffset}
     * @param out (n) from {@code outOffset}; may be {@code x} at the same place
     */
    void normalise(Norm norm, float[] x, int xOffset, float[] out, int outOffset);

    /**
     * {@code out[i] = f(x[i])}, with {@link FloatExp}:
     *
     * <ul>
     *   <li>SILU: {@code x / (1 + exp(-x))}.
     *   <li>GELU_TANH: {@code x / (1 + exp(-z))}, with {@code z = x * fma(x * x, 0.07135481, 1.5957691)}.
     *   <li>RELU_SQUARED: {@code r * r}, with {@code r = max(x, 0)}, NaN if x is NaN.
     * </ul>
     *
     * @param out may be {@code x}
     * @param from first index, inclusive
     * @param to last index, exclusive
     */
    void activate(ActivationFunction function, float[] x, float[] out, int from, int to);

    /**
     * A gated linear unit (Shazeer 2020): {@code out[i] = f(gate[i]) * up[i]}, with f rounded as in {@link #activate}.
     *
     * @param out may be {@code gate}
     * @param from first index, inclusive
     * @param to last index, exclusive
     */
    void gate(ActivationFunction function, float[] gate, float[] up, float[] out, int from, int to);

    /**
     * Keeps values within {@code cap} on both sides: {@code cap * tanh(x / cap)}, which is
     * {@code cap - 2 * cap / (1 + exp(2 * x / cap))}. Rounded so: {@code x = cap - (2 * cap) / (1 + exp(x * (2 / cap)))}, with
     * {@link FloatExp}.
     *
     * @param values changed in place
     * @param from first index, inclusive
     * @param to last index, exclusive
     * @param cap positive
     */
    void softcap(float[] values, int from, int to, float cap);

    /**
     * Scaled dot-product attention of a tile of queries over one key/value head: of the query heads that share it, in some rows
     * of one sequence at consecutive positions. Each query is computed as if it were alone:
     *
     * <p>Positions are taken in segments of {@link #SEGMENT}, counted from 0. In a segment, score t is a chain of fma over the
     * dimensions, times {@code scale}, and then capped as by {@link #softcap} if there is a cap; weights are
     * {@code e[t] = exp(score[t] - m)} with m the largest score that is a number; their
     * sum s is taken in 16 partials by {@code t mod 16}, added in order; {@code v[d]} is a chain of fma of
     * {@code e[t] * value[t][d]} over t, from 0. Segments are joined in order: with {@code M = max(m, m')} of those so far and
     * the next, {@code a = exp(m - M)} and {@code b = exp(m' - M)}, the next v is {@code fma(v', b, v * a)}, the next s
     * {@code fma(s', b, s * a)}. At the end {@code out[d] = v[d] * (1 / s)}.
     *
     * <p>With a window, positions before the last {@code window} ones take no part: they are in no chain, no partial and no
     * maximum, and a segment of nothing else is not joined. Partials are counted as without one.
     *
     * @param head keys and values as they are stored, see {@link KvType}
     * @param query rows of {@code (heads, headDim)}, each {@code queryStride} behind the one before
     * @param queryOffset where the first row's first query head of this group begins
     * @param out rows of {@code (heads, headDim)}; only the heads of this group are written
     * @param outOffset where the first row's first head of this group begins
     * @param rows at least 1
     * @param positions how many there are for the first row, at least 1; each row has one more than the row before
     */
    void attend(
            AttentionShape shape, KvHead head, float[] query, int queryOffset, float[] out, int outOffset, int rows, int positions);

    /**
     * Maxima of a row: every {@link #MAXIMA_TILE} values give 16, the largest of those whose index modulo 16 is 0, 1, and so on;
     * NaN if one of them is NaN, -infinity if there are none. Whether a zero is negative is not specified.
     *
     * @param values (count) from {@code from}
     * @param out receives them
     * @return how many: 16 for every tile begun
     */
    int maxima(float[] values, int from, int count, float[] out);

    /**
     * Finds what reaches a threshold.
     *
     * @param values (count) from {@code from}
     * @param ids receives the indices (from 0) of the values {@code >= least}, ascending
     * @return how many
     */
    int atLeast(float[] values, int from, int count, float least, int[] ids);

    /**
     * {@code out[i] = StrictMath.exp((values[i] - max) / divisor)}, in double, to the bit.
     *
     * @param values (count) from {@code from}; fast where they are at most {@code max}
     * @param divisor positive
     * @param out (count)
     */
    void exponentials(float[] values, int from, int count, double max, double divisor, double[] out);
}
