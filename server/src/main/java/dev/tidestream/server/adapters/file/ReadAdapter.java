package dev.tidestream.server.adapters.file;

import java.util.List;

import dev.tidestream.model.adapter.Adapter;

/**
 * An adapter that was read.
 *
 * @param adapter the caller's, to be closed
 * @param format what kind of file it was, for people
 * @param sha256 of all that it was read from: 64 lower-case hexadecimal digits
 * @param tied whether lookups and logits use one matrix while it is active
 * @param savedMatrices whole matrices (V, H) that it brings with it
 * @param highestRank of its low-rank changes; 0 if it has none
 * @param warnings what is remarkable about it, though it can be served: a line each, for people
 */
public record ReadAdapter(
        Adapter adapter, String format, String sha256, boolean tied, int savedMatrices, int highestRank, List<String> warnings) {
    public ReadAdapter {
        warnings = List.copyOf(warnings);
    }
}
