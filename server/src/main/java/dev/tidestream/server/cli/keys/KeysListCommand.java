package dev.tidestream.server.cli.keys;

import java.util.concurrent.Callable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

import dev.tidestream.server.cli.terminal.Table;
import dev.tidestream.server.keys.ApiKey;
import dev.tidestream.server.keys.KeyFile;

/** {@code keys list}: names and limits. */
@Command(
        name = "list",
        description = "List API keys: names and limits, neither keys nor hashes.",
        footer = {
            "",
            "Examples:",
            "  tidestream keys list",
            "  tidestream keys list --file /etc/tidestream/api-keys",
        })
final class KeysListCommand implements Callable<Integer> {
    @Mixin
    private final KeyFileOption file = new KeyFileOption();

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Override
    public Integer call() {
        Table table = new Table("name", ">requests/min", ">tokens/min", ">streams");
        for (ApiKey key : file.with(KeyFile::read).keys()) {
            table.row(key.name(), limit(key.limits().requestsPerMinute()), limit(key.limits().tokensPerMinute()),
                    limit(key.limits().streams()));
        }
        table.print(spec.commandLine().getOut());
        return 0;
    }

    private static String limit(int value) {
        return value == 0 ? "any" : Integer.toString(value);
    }
}
