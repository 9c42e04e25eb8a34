package dev.tidestream.server.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;

import dev.tidestream.server.cli.configuration.SettingDefaults;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** To picocli, a flag that is given is the opposite of its default, which may come from a file: ours say what they are. */
class FlagsTest {
    private static List<OptionSpec> flags(CommandLine command) {
        List<OptionSpec> flags = new ArrayList<>(command.getCommandSpec().options().stream()
                .filter(option -> option.typeInfo().isBoolean() && !option.usageHelp() && !option.versionHelp()).toList());
        command.getSubcommands().values().forEach(subcommand -> flags.addAll(flags(subcommand)));
        return flags;
    }

    @Test
    void shouldBeOnWhereverAFlagIsGiven() {
        List<OptionSpec> flags = flags(Main.commandLine(new Main()));
        assertTrue(flags.size() > 15, flags.toString());
        assertEquals(List.of(), flags.stream().filter(flag -> !"true".equals(flag.fallbackValue()))
                .map(flag -> flag.command().qualifiedName() + " " + flag.longestName()).toList());
    }

    @Test
    void shouldStayOnIfTheEnvironmentSaysSoToo() {
        for (String flag : List.of("--allow-unauthenticated", "--key-metrics")) {
            for (List<String> args : List.of(List.of(flag), List.of(flag + "=true"), List.<String>of())) {
                CommandLine serve = new CommandLine(new ServeCommand());
                SettingDefaults.addTo(serve, Map.of("TIDESTREAM_ALLOW_UNAUTHENTICATED", "true", "TIDESTREAM_KEY_METRICS", "true"));
                SettingDefaults.tell(serve, args.toArray(String[]::new));
                OptionSpec parsed = serve.parseArgs(args.toArray(String[]::new)).commandSpec().findOption(flag);
                assertEquals(true, parsed.getValue(), flag + args);
            }
        }
    }
}
