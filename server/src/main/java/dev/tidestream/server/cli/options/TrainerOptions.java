package dev.tidestream.server.cli.options;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

import dev.tidestream.server.app.ServerConfig;
import dev.tidestream.server.cli.terminal.Check;

/** Options of {@code serve} for trainers that know other servers. */
public final class TrainerOptions {
    private static final int DEFAULT_WAIT_S = 60;
    private static final int MAX_WAIT_S = 86_400;

    private int waitS = DEFAULT_WAIT_S;

    @Option(names = "--trainer-api", fallbackValue = "true",
            description = "Also have the endpoints of vLLM and SGLang that trainers push weights by, for whoever has the admin token; needs"
                    + " --data-dir.")
    private boolean enabled;

    @Option(names = "--trainer-dir", paramLabel = "DIR",
            description = "Where these endpoints may read safetensors files from, and all below it; repeatable (default: from nowhere).")
    private List<Path> directories = new ArrayList<>();

    @Spec(Spec.Target.MIXEE)
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Option(names = "--trainer-wait", paramLabel = "SECONDS", defaultValue = "" + DEFAULT_WAIT_S,
            description = "How long a trainer's pause of mode wait lasts at most (default: ${DEFAULT-VALUE}).")
    void setWait(int value) {
        waitS = Check.range(spec, "--trainer-wait", value, 1, MAX_WAIT_S);
    }

    /**
     * Adds what they say.
     *
     * @throws ParameterException if nothing could come of it
     */
    public ServerConfig.Updates applyTo(ServerConfig.Updates updates) {
        if (enabled && updates.dataDir() == null) {
            throw new ParameterException(spec.commandLine(), "--trainer-api needs --data-dir: there would be no versions to make");
        }
        if (!enabled && !directories.isEmpty()) {
            throw new ParameterException(spec.commandLine(), "--trainer-dir needs --trainer-api");
        }
        return updates.withTrainers(new ServerConfig.Trainers(enabled, directories, Duration.ofSeconds(waitS)));
    }
}
