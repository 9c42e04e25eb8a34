package dev.tidestream.model.tensor;

/**
 * What attention computes. Outputs are rows of {@code (heads, headDim)}; queries are so, too, but may have something else behind each
 * row.
 *
 * @param heads query heads
 * @param kvHeads key/value heads; divides heads: head h looks at key/value head {@code h / (heads / kvHeads)}
 * @param headDim elements per head
 * @param queryStride from a row of queries to the next
 * @param scale scores are multiplied by it
 * @param softcap scores are kept within it on both sides ({@link Kernels#softcap}); 0 for not at all
 * @param window positions that a query sees at most, its own the last of them; 0 for all (Beltagy et al. 2020)
 */
public record AttentionShape(int heads, int kvHeads, int headDim, int queryStride, float scale, float softcap, int window) {
    public AttentionShape {
        if (heads < 1 || kvHeads < 1 || headDim < 1 || heads % kvHeads != 0 || queryStride < heads * headDim || window < 0
                || !(softcap >= 0)) {
            throw new IllegalArgumentException(
                    "no such attention: heads=%d, kvHeads=%d, headDim=%d, queryStride=%d, softcap=%s, window=%d"
                            .formatted(heads, kvHeads, headDim, queryStride, softcap, window));
        }
    }

    /** Of all positions, with queries that stand one behind the other. */
    public AttentionShape(int heads, int kvHeads, int headDim, float scale) {
        this(heads, kvHeads, headDim, heads * headDim, scale, 0, 0);
    }

    /** Query heads that share a key/value head. */
    public int group() {
        return heads / kvHeads;
    }

    /** Elements of a row of outputs. */
    public int rowSize() {
        return heads * headDim;
    }

    /** The first of so many positions that the query of the last one sees. */
    public int firstSeen(int positions) {
        return window == 0 ? 0 : Math.max(0, positions - window);
    }

    /** Where query {@code i} of a tile lies: i counts the group of the first row, then that of the next. */
    public int queryAt(int offset, int i) {
        return offset + i / group() * queryStride + i % group() * headDim;
    }

    /** Where the output of query {@code i} of a tile lies. */
    public int outputAt(int offset, int i) {
        return offset + i / group() * rowSize() + i % group() * headDim;
    }
}
