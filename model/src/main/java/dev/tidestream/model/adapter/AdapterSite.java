package dev.tidestream.model.adapter;

/** Where in a layer an adapter adds something: the matrices that share an input. */
public enum AdapterSite {
    /** Queries, keys and values, side by side in one output. */
    QUERY_KEY_VALUE,
    /** Behind attention. */
    ATTENTION_OUTPUT,
    /** Gate and up, each an output of its own; without a gate up alone. */
    GATE_UP,
    /** The last matrix of the feed-forward part. */
    DOWN
}
