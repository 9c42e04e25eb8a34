package dev.tidestream.server.adapters;

import java.util.List;

/**
 * An adapter as it is served now.
 *
 * @param path that it was read from
 * @param format what kind of file it was, for people
 * @param sha256 of all that it was read from
 * @param bytes of memory
 * @param highestRank of its low-rank changes; 0 if it has none
 * @param tied whether lookups and logits use one matrix while it is active
 * @param streams that compute with it
 * @param warnings of when it was loaded
 */
public record AdapterStatus(
        String name, String path, String format, String sha256, long bytes, int highestRank, boolean tied, int streams,
        List<String> warnings) {
    public AdapterStatus {
        warnings = List.copyOf(warnings);
    }
}
