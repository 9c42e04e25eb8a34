package dev.tidestream.loadtest;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** A flag may stand in a scenario and on the command line: to picocli, one that is given twice might be off again. */
class LoadFlagsTest {
    private static List<OptionSpec> flags(CommandLine command) {
        List<OptionSpec> flags = new ArrayList<>(command.getCommandSpec().options().stream()
                .filter(option -> option.typeInfo().isBoolean() && !option.usageHelp() && !option.versionHelp()).toList());
        command.getSubcommands().values().forEach(subcommand -> flags.addAll(flags(subcommand)));
        return flags;
    }

    @Test
    void shouldBeOnWhereverAFlagIsGiven() throws Exception {
        List<OptionSpec> flags = flags(Main.commandLine(Scenario.expand(Path.of("."), List.of())));
        assertTrue(flags.size() > 5, flags.toString());
        assertEquals(List.of(), flags.stream().filter(flag -> !"true".equals(flag.fallbackValue()))
                .map(flag -> flag.command().qualifiedName() + " " + flag.longestName()).toList());
    }
}
