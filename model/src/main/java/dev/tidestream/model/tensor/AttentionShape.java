package dev.tidestream.model.tensor;

/**
 * What queries and outputs of attention look like: rows of {@code (heads, headDim)}.
 *
 * @param heads query heads
 * @param kvHeads key/value heads; divides heads: head h looks at key/value head {@code h / (heads / kvHeads)}
 * @param headDim elements per head
 * @param scale scores are multiplied by it
 */
public record AttentionShape(int heads, int kvHeads, int headDim, float scale) {
    public AttentionShape {
        if (heads < 1 || kvHeads < 1 || headDim < 1 || heads % kvHeads != 0) {
            throw new IllegalArgumentException(
                    "no such attention: heads=%d, kvHeads=%d, headDim=%d".formatted(heads, kvHeads, headDim));
        }
    }

    /** Query heads that share a key/value head. */
    public int group() {
        return heads / kvHeads;
    }

    /** Elements of a row. */
    public int rowSize() {
        return heads * headDim;
    }

    /** Where query {@code i} of a tile lies: i counts the group of the first row, then that of the next. */
    public int queryAt(int offset, int i) {
        return offset + i / group() * rowSize() + i % group() * headDim;
    }
}
