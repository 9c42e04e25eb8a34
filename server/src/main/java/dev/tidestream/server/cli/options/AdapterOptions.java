package dev.tidestream.server.cli.options;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

import dev.tidestream.server.adapters.AdapterLimits;
import dev.tidestream.server.app.ServerConfig;
import dev.tidestream.server.cli.terminal.ByteSize;
import dev.tidestream.server.cli.terminal.Check;

/** Options of adapters: which are served from the start, and what may be loaded later. */
public final class AdapterOptions {
    private static final int MAX_ADAPTERS = 10_000;
    private static final int DEFAULT_ADAPTERS = 16;

    private final SequencedMap<String, Path> atStart = new LinkedHashMap<>();
    private int maxAdapters = DEFAULT_ADAPTERS;

    @Option(names = "--adapter-dir", paramLabel = "DIR",
            description = "Where administrators may load adapters from while the server runs; without it, from nowhere.")
    private @Nullable Path directory;

    @Option(names = "--adapter-memory", paramLabel = "SIZE", converter = ByteSize.Converter.class, defaultValue = "1GiB",
            description = "Memory for the weights of all adapters, of --memory-budget (default: ${DEFAULT-VALUE}).")
    private ByteSize memory = new ByteSize(1L << 30);

    @Spec(Spec.Target.MIXEE)
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Option(names = "--adapter", paramLabel = "NAME=PATH", split = ",",
            description = "An adapter (LoRA) that requests may ask for by this name: a folder as PEFT saves it, or a GGUF file; repeatable.")
    void setAdapters(List<String> values) {
        atStart.clear();
        for (String value : values) {
            int at = value.indexOf('=');
            try {
                if (at < 1 || at == value.length() - 1 || atStart.putIfAbsent(value.substring(0, at), Path.of(value.substring(at + 1))) != null) {
                    throw new ParameterException(spec.commandLine(), "--adapter must be NAME=PATH, each name once: " + value);
                }
            } catch (InvalidPathException e) {
                throw new ParameterException(spec.commandLine(), "--adapter: not a path: " + value, e);
            }
        }
    }

    @Option(names = "--max-adapters", paramLabel = "N", defaultValue = "" + DEFAULT_ADAPTERS,
            description = "Adapters that are served at the same time (default: ${DEFAULT-VALUE}).")
    void setMaxAdapters(int value) {
        maxAdapters = Check.range(spec, "--max-adapters", value, 0, MAX_ADAPTERS);
    }

    /** What they say. */
    public ServerConfig.Adapters config() {
        return new ServerConfig.Adapters(atStart, new AdapterLimits(maxAdapters, memory.bytes(), directory));
    }
}
