package dev.tidestream.server.configuration;

import java.util.List;

/**
 * A value that somebody has given.
 *
 * @param name of the setting, e.g. {@code max-streams}
 * @param values as they were written; more than one for a list
 */
public record Setting(String name, List<String> values, Origin origin) {
    public Setting {
        values = List.copyOf(values);
    }
}
