package dev.tidestream.server.cli;

import java.io.PrintWriter;
import java.util.Set;

import picocli.CommandLine;
import picocli.CommandLine.Command;

import dev.tidestream.console.Commands;
import dev.tidestream.model.architecture.ModelException;
import dev.tidestream.model.gguf.GgufException;
import dev.tidestream.model.tokenizer.TokenizerException;
import dev.tidestream.server.app.ServerException;
import dev.tidestream.server.cli.admin.AdminCommand;
import dev.tidestream.server.cli.bench.BenchCommand;
import dev.tidestream.server.cli.chat.ChatCommand;
import dev.tidestream.server.cli.cluster.ClusterCommand;
import dev.tidestream.server.cli.configuration.SettingDefaults;
import dev.tidestream.server.cli.keys.KeysCommand;
import dev.tidestream.server.cli.receipt.ReceiptCommand;
import dev.tidestream.server.cli.terminal.CliException;
import dev.tidestream.server.cli.tune.TuneCommand;
import dev.tidestream.server.cli.weights.WeightsCommand;

/** The entry point. What all commands keep to: {@link Commands}. */
@Command(
        name = "tidestream",
        description = "A reactive streaming token-generation server on the JVM.",
        synopsisSubcommandLabel = "COMMAND",
        subcommands = {
            ServeCommand.class,
            ConfigCommand.class,
            GenerateCommand.class,
            ChatCommand.class,
            TokenizeCommand.class,
            InspectCommand.class,
            BenchCommand.class,
            LogitsCommand.class,
            EvalCommand.class,
            TuneCommand.class,
            ConvertCommand.class,
            AdminCommand.class,
            WeightsCommand.class,
            ClusterCommand.class,
            KeysCommand.class,
            ReceiptCommand.class,
            CompletionCommand.class,
        },
        footer = {
            "",
            "Help on a command: tidestream COMMAND --help",
            "Test a running server from outside: tidestream loadtest --help",
            "JVM options: in the environment variable TIDESTREAM_JAVA_OPTS",
            "Exit codes: 0 success; 1 failure, also if the output cannot be written or its reader has gone; 2 wrong usage"
        })
public final class Main {
    private static final Commands COMMANDS = new Commands("tidestream", "",
            Set.of(CliException.class, ServerException.class, GgufException.class, ModelException.class, TokenizerException.class));

    /** Runs a command and exits with its code. */
    public static void main(String[] args) {
        ProcessEnd.expect();
        COMMANDS.main(args, Main::run, ProcessEnd::exit);
    }

    /** Runs a command. Returns its exit code. */
    static int run(PrintWriter out, PrintWriter err, String... args) {
        return run(commandLine(new Main()).setOut(out).setErr(err), args.length == 0 ? new String[] {"--help"} : args);
    }

    /** Runs any command that has our conventions. Returns its exit code. */
    static int run(CommandLine commandLine, String... args) {
        SettingDefaults.tell(commandLine, args);
        return COMMANDS.run(commandLine, args);
    }

    /** Any command, with our conventions. */
    static CommandLine commandLine(Object command) {
        CommandLine commandLine = new CommandLine(command);
        standardOptions(commandLine);
        COMMANDS.apply(commandLine);
        SettingDefaults.addTo(commandLine, System.getenv());
        return commandLine.setExecutionStrategy(JvmOptions.strategy(commandLine.getExecutionStrategy()));
    }

    private static void standardOptions(CommandLine commandLine) {
        commandLine.getCommandSpec().mixinStandardHelpOptions(true).versionProvider(new Version());
        commandLine.getSubcommands().values().forEach(Main::standardOptions);
    }
}
