package dev.tidestream.server.openai;

import java.util.List;

/** The adapters that requests may name as their model. Any thread. */
public interface AdapterNames {
    /** No adapter is served. */
    AdapterNames NONE = () -> List.of();

    /**
     * An adapter.
     *
     * @param createdS when it was loaded, in seconds since 1970
     */
    record Named(String name, long createdS) {}

    /** Those that are served now. */
    List<Named> all();

    /** Whether one of this name is. */
    default boolean has(String name) {
        return all().stream().anyMatch(named -> named.name().equals(name));
    }
}
