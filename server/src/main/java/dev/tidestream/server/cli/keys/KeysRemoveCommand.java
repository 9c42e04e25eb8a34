package dev.tidestream.server.cli.keys;

import java.util.concurrent.Callable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code keys remove}: a key that is valid no more. */
@Command(
        name = "remove",
        description = "Remove an API key. A running server lets it in no more within some seconds; streams that run go on.",
        footer = {
            "",
            "Examples:",
            "  tidestream keys remove alice",
        })
final class KeysRemoveCommand implements Callable<Integer> {
    @Parameters(paramLabel = "NAME", description = "The name of the key, as keys list shows it.")
    private String name = "";

    @Mixin
    private final KeyFileOption file = new KeyFileOption();

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Override
    public Integer call() {
        file.with(f -> {
            f.remove(name);
            return f;
        });
        spec.commandLine().getErr().printf("%s has no key in %s any more.%n", name, file.path());
        return 0;
    }
}
