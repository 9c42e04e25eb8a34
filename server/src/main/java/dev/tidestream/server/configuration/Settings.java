package dev.tidestream.server.configuration;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

import org.jspecify.annotations.Nullable;

/** What file and environment say, the environment before the file. Immutable. */
public final class Settings {
    private final Map<String, Setting> byName;
    private final List<String> warnings;

    private Settings(Map<String, Setting> byName, List<String> warnings) {
        this.byName = Map.copyOf(byName);
        this.warnings = List.copyOf(warnings);
    }

    /**
     * Reads what there is.
     *
     * @param file null for none
     * @throws ConfigurationException if the file is of no use
     */
    public static Settings read(SettingNames names, @Nullable Path file, Map<String, String> environment)
            throws ConfigurationException {
        Map<String, Setting> all = new TreeMap<>();
        if (file != null) {
            all.putAll(SettingsFile.read(file, names));
        }
        all.putAll(EnvironmentSettings.of(environment, names));
        return new Settings(all, EnvironmentSettings.warnings(environment, names));
    }

    /** What was said of a setting. */
    public Optional<Setting> of(String name) {
        return Optional.ofNullable(byName.get(name));
    }

    /** What looks like a mistake, and is none. */
    public List<String> warnings() {
        return warnings;
    }
}
