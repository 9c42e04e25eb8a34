package dev.tidestream.server.configuration;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Settings of the environment: {@code TIDESTREAM_MAX_STREAMS=5}; values of a list are separated by commas. Variables of that
 * prefix that are no settings are let be, since other programs make some (Kubernetes does, for a service that is called
 * tidestream); one that looks like a setting misspelt is told.
 */
final class EnvironmentSettings {
    private static final String PREFIX = "TIDESTREAM_";
    /** What else has a meaning: to the launcher, to commands that are clients, to whoever looks for the file. */
    private static final Set<String> OTHERS = Set.of("java-opts", "maven", "admin-token", "api-key", "config");
    /** Kubernetes' own variable for the port of a service of our name. */
    private static final String KUBERNETES_PORT = "TIDESTREAM_PORT";
    private static final String KUBERNETES_SCHEME = "tcp://";

    private EnvironmentSettings() {}

    static Map<String, Setting> of(Map<String, String> environment, SettingNames names) {
        Map<String, Setting> settings = new LinkedHashMap<>();
        names.aliases().forEach((alias, name) -> put(settings, environment, names, SettingNames.variable(alias), name));
        new TreeSet<>(names.all()).forEach(name -> put(settings, environment, names, SettingNames.variable(name), name));
        return settings;
    }

    private static void put(
            Map<String, Setting> settings, Map<String, String> environment, SettingNames names, String variable, String name) {
        String value = environment.get(variable);
        if (value != null && !isKubernetes(variable, value)) {
            List<String> values = names.lists().contains(name) ? List.of(value.split(",", -1)) : List.of(value);
            settings.put(name, new Setting(name, values, new Origin.Environment(variable)));
        }
    }

    private static boolean isKubernetes(String variable, String value) {
        return variable.equals(KUBERNETES_PORT) && value.startsWith(KUBERNETES_SCHEME);
    }

    /** What to say of variables that are nearly a setting. */
    static List<String> warnings(Map<String, String> environment, SettingNames names) {
        List<String> warnings = new ArrayList<>();
        for (String variable : new TreeMap<>(environment).keySet()) {
            if (!variable.startsWith(PREFIX)) {
                continue;
            }
            String word = variable.substring(PREFIX.length()).toLowerCase(Locale.ROOT).replace('_', '-');
            if (names.canonical(word).isEmpty() && !OTHERS.contains(word)) {
                names.misspelt(word).ifPresent(name -> warnings.add(
                        "%s is no setting; did you mean %s?".formatted(variable, SettingNames.variable(name))));
            }
        }
        return warnings;
    }
}
