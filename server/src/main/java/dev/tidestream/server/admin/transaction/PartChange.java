package dev.tidestream.server.admin.transaction;

import java.util.Optional;

import dev.tidestream.server.safetensors.SafetensorsFile;
import dev.tidestream.server.safetensors.SafetensorsFile.Tensor;

/** What a part says of one tensor, in the part's words: nothing of it is checked against the model. */
sealed interface PartChange {

    /** The tensor, as the part names it. */
    String name();

    /** Where the data are. */
    SafetensorsFile file();

    /** The whole tensor. */
    record Full(String name, SafetensorsFile file, Tensor values) implements PartChange {}

    /** Some of its rows, in any order. */
    record Rows(String name, SafetensorsFile file, Tensor rows, Tensor values) implements PartChange {}

    /** Some of its elements, in any order. */
    record Sparse(String name, SafetensorsFile file, Tensor indices, Tensor values) implements PartChange {}

    /**
     * Bits that turn over.
     *
     * @param baseSha256 of the tensor that it was made with, if it is said
     */
    record Xor(String name, SafetensorsFile file, Tensor bits, Optional<String> baseSha256) implements PartChange {}

    /**
     * A product that is added.
     *
     * @param a {@code (rank, inputs)}
     * @param b {@code (outputs, rank)}
     */
    record LowRank(String name, SafetensorsFile file, Tensor a, Tensor b, double scale) implements PartChange {}
}
