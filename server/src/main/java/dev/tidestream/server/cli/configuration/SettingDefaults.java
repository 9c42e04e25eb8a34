package dev.tidestream.server.cli.configuration;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.IDefaultValueProvider;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;

import dev.tidestream.console.ValueOrigins;
import dev.tidestream.server.configuration.ConfigurationException;
import dev.tidestream.server.configuration.Setting;
import dev.tidestream.server.configuration.SettingNames;
import dev.tidestream.server.configuration.Settings;

/**
 * What options of a command are by default: what the file of {@code --config} and the environment say, and else their own
 * default. So a value is read, checked and refused as one of the command line is. Of one thread.
 */
public final class SettingDefaults implements IDefaultValueProvider, ValueOrigins {
    /** The option that names the file. */
    public static final String CONFIG = "--config";

    private static final String DASHES = "--";
    private static final Set<String> NO_SETTINGS = Set.of(CONFIG, "--json", "--help", "--version");
    private static final Set<String> HELP = Set.of("-h", "--help", "-V", "--version");
    private static final Pattern OPTION = Pattern.compile("^(--[a-z0-9-]+)");

    private final CommandSpec spec;
    private final Map<String, String> environment;
    private List<String> args = List.of();
    private @Nullable Settings settings;

    /**
     * @param spec of the command
     * @param environment of the process
     */
    public SettingDefaults(CommandSpec spec, Map<String, String> environment) {
        this.spec = spec;
        this.environment = environment;
    }

    /** Makes them the defaults of a command and of all its subcommands that have {@code --config}; they read nothing yet. */
    public static void addTo(CommandLine command, Map<String, String> environment) {
        CommandSpec spec = command.getCommandSpec();
        if (spec.findOption(CONFIG) != null) {
            spec.defaultValueProvider(new SettingDefaults(spec, environment));
        }
        command.getSubcommands().values().forEach(subcommand -> addTo(subcommand, environment));
    }

    /** Tells all of them what is on the command line, which names the file. */
    public static void tell(CommandLine command, String... args) {
        of(command.getCommandSpec()).ifPresent(defaults -> defaults.begin(List.of(args)));
        command.getSubcommands().values().forEach(subcommand -> tell(subcommand, args));
    }

    /** Those of a command. */
    public static Optional<SettingDefaults> of(CommandSpec spec) {
        return spec.defaultValueProvider() instanceof SettingDefaults defaults ? Optional.of(defaults) : Optional.empty();
    }

    private void begin(List<String> all) {
        args = all;
        settings = null;
    }

    /** The command line. */
    public List<String> args() {
        return args;
    }

    /** What file and environment say. */
    public Settings settings() {
        Settings known = settings;
        if (known == null) {
            try {
                known = Settings.read(names(spec), file().orElse(null), environment);
            } catch (ConfigurationException e) {
                throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
            }
            settings = known;
        }
        return known;
    }

    /** The file, if one is named on the command line or in the environment. */
    public Optional<Path> file() {
        String named = environment.get(SettingNames.variable(CONFIG.substring(2)));
        for (int i = 0; i < args.size(); i++) {
            String arg = args.get(i);
            if (arg.startsWith(CONFIG + "=")) {
                named = arg.substring(CONFIG.length() + 1);
            } else if (arg.equals(CONFIG) && i + 1 < args.size()) {
                named = args.get(i + 1);
            }
        }
        try {
            // the option says what is wrong with it
            return named == null || named.isBlank() ? Optional.empty() : Optional.of(Path.of(named));
        } catch (InvalidPathException e) {
            throw new ParameterException(spec.commandLine(), "--config: " + e.getReason(), e);
        }
    }

    @Override
    public @Nullable String defaultValue(ArgSpec arg) {
        if (!(arg instanceof OptionSpec option) || args.stream().anyMatch(HELP::contains)) {
            return null;
        }
        return name(option).flatMap(settings()::of).map(setting -> text(option, setting)).orElse(null);
    }

    private String text(OptionSpec option, Setting setting) {
        for (String value : setting.values()) {
            if (setting.values().size() > 1 && value.contains(",")) {
                throw new ParameterException(spec.commandLine(), "%s: a value of a list must not have a comma (from %s)"
                        .formatted(option.longestName(), setting.origin().words()));
            }
        }
        return String.join(",", setting.values());
    }

    @Override
    public Optional<String> originOf(ParameterException error, String message, List<String> given) {
        OptionSpec option = error.getArgSpec() instanceof OptionSpec known ? known : named(message);
        Settings known = settings;
        if (option == null || known == null || isGiven(option, given)) {
            return Optional.empty();
        }
        return name(option).flatMap(known::of).map(setting -> setting.origin().words());
    }

    private @Nullable OptionSpec named(String message) {
        Matcher matcher = OPTION.matcher(message);
        return matcher.find() ? spec.optionsMap().get(matcher.group(1)) : null;
    }

    private static boolean isGiven(OptionSpec option, List<String> given) {
        return given.stream().anyMatch(arg -> Arrays.stream(option.names())
                .anyMatch(name -> arg.equals(name) || arg.startsWith(name + "=")));
    }

    /** The name of an option as a setting: its first long one, without dashes; nothing for one that is none. */
    public static Optional<String> name(OptionSpec option) {
        return Arrays.stream(option.names()).filter(name -> name.startsWith(DASHES)).findFirst()
                .filter(name -> !NO_SETTINGS.contains(name) && !option.usageHelp() && !option.versionHelp())
                .map(name -> name.substring(DASHES.length()));
    }

    /** The settings that a command has. */
    public static SettingNames names(CommandSpec spec) {
        Set<String> all = new HashSet<>();
        Set<String> lists = new HashSet<>();
        Map<String, String> aliases = new HashMap<>();
        for (OptionSpec option : spec.options()) {
            name(option).ifPresent(name -> {
                all.add(name);
                if (option.typeInfo().isMultiValue()) {
                    lists.add(name);
                }
                Arrays.stream(option.names()).filter(other -> other.startsWith(DASHES) && !other.equals(DASHES + name))
                        .forEach(other -> aliases.put(other.substring(DASHES.length()), name));
            });
        }
        return new SettingNames(all, lists, aliases);
    }
}
