package dev.tidestream.server.keys;

import java.util.List;
import java.util.Optional;

/**
 * Keys with different names and different hashes.
 *
 * @param keys in the order of their file
 */
public record KeyRing(List<ApiKey> keys) {
    public KeyRing {
        keys = List.copyOf(keys);
    }

    /** The key with this text. Takes the same time whether there is one, and whichever it is: all are compared, each in constant time. */
    public Optional<ApiKey> find(String text) {
        KeyHash shown = KeyHash.of(text);
        int found = -1;
        for (int i = 0; i < keys.size(); i++) {
            found = keys.get(i).hash().matches(shown) ? i : found;
        }
        return found < 0 ? Optional.empty() : Optional.of(keys.get(found));
    }
}
