package dev.tidestream.server.adapters;

import java.util.Optional;

/** Where adapters are found by name; never waits, any thread. */
@FunctionalInterface
public interface ServedAdapters {
    /** None is served. */
    ServedAdapters NONE = name -> Optional.empty();

    /** The adapter of this name. */
    Optional<ServedAdapter> find(String name);
}
