package dev.tidestream.server.adapters;

import java.nio.file.Path;

import org.jspecify.annotations.Nullable;

/**
 * What adapters may take.
 *
 * @param maxAdapters served at a time
 * @param maxBytes of memory of all of them, those included that were unloaded and that streams still use
 * @param directory that adapters are loaded from at run time; null: none are
 */
public record AdapterLimits(int maxAdapters, long maxBytes, @Nullable Path directory) {
    /** No adapter is served. */
    public static final AdapterLimits NONE = new AdapterLimits(0, 0, null);

    public AdapterLimits {
        if (maxAdapters < 0 || maxBytes < 0) {
            throw new IllegalArgumentException("limits of adapters must be at least 0: max_adapters=%d, max_bytes=%d"
                    .formatted(maxAdapters, maxBytes));
        }
    }
}
