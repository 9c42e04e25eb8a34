package dev.tidestream.server.cli.options;

import java.nio.file.Path;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

import dev.tidestream.model.gguf.ModelSource;
import dev.tidestream.model.packed.PackedLoad;
import dev.tidestream.model.tensor.KvType;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.transformer.ActivationPrecision;
import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.model.transformer.ModelLoader;
import dev.tidestream.server.app.ModelFiles;
import dev.tidestream.server.app.ServerConfig;
import dev.tidestream.server.cli.terminal.Check;
import dev.tidestream.server.cli.terminal.TerminalStart;

/** How a command computes: options that are the same for all of them. */
public final class ComputeOptions {
    private static final int MAX_THREADS = 1024;

    private int threads = ServerConfig.Compute.DEFAULT.threads();

    @Option(names = "--activations", paramLabel = "TYPE", defaultValue = "INT8",
            description = "What quantised matrices are multiplied with, but for the head: int8 (fast) or f32 (exact). Default: int8.")
    private ActivationPrecision activations = ActivationPrecision.INT8;

    @Option(names = "--head-activations", paramLabel = "TYPE", defaultValue = "F32",
            description = "What a quantised head is multiplied with, in head mode packed: f32 (exact) or int8 (faster in batches)."
                    + " Default: f32.")
    private ActivationPrecision headActivations = ActivationPrecision.F32;

    @Option(names = "--cache-packed", paramLabel = "DIR",
            description = "Keep packed weights here, and load them the next time instead of packing anew.")
    private @Nullable Path cachePacked;

    @Option(names = "--cache-check", paramLabel = "HOW", defaultValue = "SAMPLE",
            description = "How packed weights are matched with the model file: sample (size, time, some pages) or full"
                    + " (all of it is hashed). Default: sample.")
    private CacheCheck cacheCheck = CacheCheck.SAMPLE;

    /** How a model file is known again. */
    private enum CacheCheck {
        SAMPLE,
        FULL
    }

    @Option(names = "--cache-load", paramLabel = "HOW", defaultValue = "MAP",
            description = "How packed weights come into memory: map (the file is mapped, which starts faster) or copy (memory of"
                    + " our own, which does not need the file afterwards). Default: map.")
    private PackedLoad cacheLoad = PackedLoad.MAP;

    @Option(names = "--kv-type", paramLabel = "TYPE", defaultValue = "F16",
            description = "How keys and values are stored: f16 (half the memory) or f32 (exact). Default: f16.")
    private KvType kvType = KvType.F16;

    @Spec(Spec.Target.MIXEE)
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Option(names = {"-t", "--threads"}, paramLabel = "N", description = "Threads that compute (default: one per core); the tokens do not depend on it.")
    void setThreads(int value) {
        threads = Check.range(spec, "--threads", value, 1, MAX_THREADS);
    }

    /** What these options say. */
    public ServerConfig.Compute config() {
        return new ServerConfig.Compute(threads, activations, headActivations, kvType, cachePacked == null ? null
                : new ServerConfig.Packed(cachePacked, cacheCheck == CacheCheck.FULL, cacheLoad));
    }

    /** Loads a model, with a bar on the terminal if that takes a while. */
    public LoadedModel load(ModelSource file, WorkerTeam team) {
        return ModelFiles.load(new ModelLoader(file), config(), team, new TerminalStart(spec.commandLine().getErr()));
    }
}
