package dev.tidestream.model.gguf;

import java.util.List;

/**
 * Where a tensor lies in its file.
 *
 * @param name unique in the file
 * @param type of its elements
 * @param dimensions one to four, fastest first (ggml's order): a weight matrix of n outputs and k inputs is {@code [k, n]}
 * @param offsetBytes from the beginning of the file, or of its part of a split one
 * @param bytes length of its data
 */
public record GgufTensor(String name, GgmlType type, List<Long> dimensions, long offsetBytes, long bytes) {

    public GgufTensor {
        dimensions = List.copyOf(dimensions);
    }

    /** The same with another name. */
    GgufTensor named(String other) {
        return new GgufTensor(other, type, dimensions, offsetBytes, bytes);
    }

    /** Dimension 0: elements per row, k of a weight matrix. */
    public long columns() {
        return dimensions.getFirst();
    }

    /** Rows of {@link #columns()} elements: 1 for a vector, n for a matrix. */
    public long rows() {
        return elements() / columns();
    }

    /** Elements in all. */
    public long elements() {
        return dimensions.stream().mapToLong(Long::longValue).reduce(1, (a, b) -> a * b);
    }

    /** Its dimensions as {@code [64, 512]}, fastest first. */
    public String shape() {
        return dimensions.toString();
    }
}
