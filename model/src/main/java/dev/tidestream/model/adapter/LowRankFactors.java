package dev.tidestream.model.adapter;

/**
 * The two factors of a low-rank change of a matrix W (out, in): {@code W + scale * B * A} (Hu et al. 2021, "LoRA").
 *
 * @param a (rank, in)
 * @param b (out, rank)
 */
public record LowRankFactors(float scale, StoredMatrix a, StoredMatrix b) {
    public LowRankFactors {
        if (a.rows() != b.columns()) {
            throw new IllegalArgumentException(
                    "factors of different rank: %s %s, %s %s".formatted(a.name(), a.shape(), b.name(), b.shape()));
        }
        if (!Float.isFinite(scale)) {
            throw new IllegalArgumentException("scale is not finite: " + scale);
        }
    }

    public int rank() {
        return a.rows();
    }

    /** The change of the transposed matrix: {@code (B * A)} transposed is {@code A} transposed times {@code B} transposed. */
    public LowRankFactors transposed() {
        return new LowRankFactors(scale, b.transposed(), a.transposed());
    }
}
