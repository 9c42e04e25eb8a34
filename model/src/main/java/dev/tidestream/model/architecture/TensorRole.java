package dev.tidestream.model.architecture;

/** What a tensor is for. Each has a weight, some have a bias. */
public enum TensorRole {
    /** (V, H). */
    EMBEDDING,
    /** (positions, H), added to embeddings. */
    POSITIONS,
    /** (H). */
    ATTENTION_NORM,
    /** (heads * headDim, H). */
    QUERY,
    /** (kvHeads * headDim, H). */
    KEY,
    /** (kvHeads * headDim, H). */
    VALUE,
    /** The three before, one below the other. */
    QUERY_KEY_VALUE,
    /** (headDim). */
    QUERY_NORM,
    /** (headDim). */
    KEY_NORM,
    /** (heads * headDim), before the output matrix. */
    ATTENTION_INNER_NORM,
    /** (H, heads * headDim). */
    ATTENTION_OUTPUT,
    /** (H), behind attention. */
    ATTENTION_AFTER_NORM,
    /** (H). */
    FEED_FORWARD_NORM,
    /** (F, H), of what the activation function is applied to, if it is not UP. */
    GATE,
    /** (F, H). */
    UP,
    /** (2 F, H): GATE, and UP below it. */
    GATE_UP,
    /** (F), before the last matrix. */
    FEED_FORWARD_INNER_NORM,
    /** (H, F). */
    DOWN,
    /** (H), behind feed-forward. */
    FEED_FORWARD_AFTER_NORM,
    /** (H). */
    OUTPUT_NORM,
    /** (rotated elements / 2). */
    ROTATION_FACTORS,
    /** (rotated elements / 2), for contexts longer than the training's. */
    ROTATION_FACTORS_LONG,
    /** (rotated elements / 2), for others. */
    ROTATION_FACTORS_SHORT,
    /** (V, H). */
    OUTPUT
}
