package dev.tidestream.server.cli.keys;

import java.io.PrintWriter;
import java.util.concurrent.Callable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

import dev.tidestream.server.cli.terminal.Check;
import dev.tidestream.server.keys.ApiKey;
import dev.tidestream.server.keys.KeyHash;
import dev.tidestream.server.keys.KeyLimits;
import dev.tidestream.server.keys.KeyText;

/** {@code keys add}: a new key, printed once. */
@Command(
        name = "add",
        description = {
            "Make an API key, and print it: this once, since the file has its hash only.",
            "Standard output has the key in a line of its own; what is to be said about it goes to standard error."
        },
        sortOptions = false,
        footer = {
            "",
            "Examples:",
            "  tidestream keys add alice",
            "  tidestream keys add bob --requests-per-minute 60 --streams 4 --file /etc/tidestream/api-keys > bob.key",
        })
final class KeysAddCommand implements Callable<Integer> {
    private String name = "";
    private int requestsPerMinute;
    private int tokensPerMinute;
    private int streams;

    @Mixin
    private final KeyFileOption file = new KeyFileOption();

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Parameters(paramLabel = "NAME",
            description = "What log, metrics and messages call it: letters, digits and . _ -, at most " + ApiKey.MAX_NAME_CHARS
                    + ".")
    void setName(String value) {
        try {
            ApiKey.requireName(value);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), "NAME: " + e.getMessage());
        }
        name = value;
    }

    @Option(names = "--requests-per-minute", paramLabel = "N",
            description = "Requests for tokens per minute (default: any number).")
    void setRequestsPerMinute(int value) {
        requestsPerMinute = Check.range(spec, "--requests-per-minute", value, 1, Integer.MAX_VALUE);
    }

    @Option(names = "--tokens-per-minute", paramLabel = "N",
            description = "Tokens of prompts and answers per minute; a stream is never cut, the next request waits (default: any"
                    + " number).")
    void setTokensPerMinute(int value) {
        tokensPerMinute = Check.range(spec, "--tokens-per-minute", value, 1, Integer.MAX_VALUE);
    }

    @Option(names = "--streams", paramLabel = "N", description = "Streams at once (default: any number).")
    void setStreams(int value) {
        streams = Check.range(spec, "--streams", value, 1, Integer.MAX_VALUE);
    }

    @Override
    public Integer call() {
        String key = KeyText.generate();
        KeyLimits limits = new KeyLimits(requestsPerMinute, tokensPerMinute, streams);
        file.with(f -> {
            f.add(new ApiKey(name, KeyHash.of(key), limits));
            return f;
        });
        PrintWriter out = spec.commandLine().getOut();
        out.println(key);
        out.flush();
        spec.commandLine().getErr().printf("The key of %s. It is shown this once: %s has its hash only.%n", name, file.path());
        return 0;
    }
}
