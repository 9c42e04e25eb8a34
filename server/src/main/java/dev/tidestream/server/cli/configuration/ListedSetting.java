package dev.tidestream.server.cli.configuration;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParseResult;

import dev.tidestream.server.configuration.Origin;
import dev.tidestream.server.configuration.Setting;

/**
 * A setting as it is in force.
 *
 * @param value as it was written; for a default that is computed, what the help says of it; of a secret, stars
 * @param isValue whether that is a value, and not only words about one
 */
public record ListedSetting(String name, String value, boolean isValue, Origin origin) {
    private static final Pattern IN_HELP = Pattern.compile("(?is)\\bdefault: (.*?)(?:\\)|\\.?$)");
    private static final Set<String> SECRETS = Set.of("TOKEN", "SECRET", "PASSWORD", "KEY");
    private static final String NONE = "-";

    /** All settings of a command that was parsed, in alphabetical order. */
    public static List<ListedSetting> of(CommandSpec spec) {
        ParseResult parsed = spec.commandLine().getParseResult();
        SettingDefaults defaults = SettingDefaults.of(spec).orElseThrow();
        List<ListedSetting> all = new ArrayList<>();
        for (OptionSpec option : spec.options()) {
            SettingDefaults.name(option).ifPresent(name -> all.add(of(name, option, parsed, defaults)));
        }
        all.sort(Comparator.comparing(ListedSetting::name));
        return all;
    }

    private static ListedSetting of(String name, OptionSpec option, ParseResult parsed, SettingDefaults defaults) {
        Optional<Setting> given = defaults.settings().of(name);
        if (parsed.hasMatchedOption(option)) {
            return shown(name, option, String.join(",", parsed.matchedOption(option.longestName()).originalStringValues()),
                    new Origin.Flag());
        } else if (given.isPresent()) {
            return shown(name, option, String.join(",", given.get().values()), given.get().origin());
        } else if (option.defaultValue() != null) {
            String value = option.type().isEnum() ? option.defaultValue().toLowerCase(Locale.ROOT) : option.defaultValue();
            return new ListedSetting(name, value, true, new Origin.Default());
        }
        return new ListedSetting(name, inHelp(option), false, new Origin.Default());
    }

    private static ListedSetting shown(String name, OptionSpec option, String value, Origin origin) {
        return new ListedSetting(name, SECRETS.contains(option.paramLabel()) ? "***" : value, true, origin);
    }

    private static String inHelp(OptionSpec option) {
        Matcher matcher = IN_HELP.matcher(String.join(" ", option.description()));
        return matcher.find() ? matcher.group(1).replace("%%", "%") : NONE;
    }
}
