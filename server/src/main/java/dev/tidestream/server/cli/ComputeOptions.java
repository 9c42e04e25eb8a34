package dev.tidestream.server.cli;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Locale;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

import dev.tidestream.console.Printable;
import dev.tidestream.console.Reasons;
import dev.tidestream.model.gguf.GgufFile;
import dev.tidestream.model.kernels.KernelSelection;
import dev.tidestream.model.packed.PackedCache;
import dev.tidestream.model.packed.PackedLoad;
import dev.tidestream.model.packed.PackedWarnings;
import dev.tidestream.model.tensor.Kernels;
import dev.tidestream.model.tensor.KvType;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.transformer.ActivationPrecision;
import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.model.transformer.ModelLoader;
import dev.tidestream.model.transformer.Precision;

/** How a command computes: options that are the same for all of them. */
final class ComputeOptions {
    /** Most tokens of one forward pass. */
    static final int MAX_ROWS = 128;

    private static final int MAX_THREADS = 1024;

    private int threads = Runtime.getRuntime().availableProcessors();

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

    int threads() {
        return threads;
    }

    /** What this process computes with; whoever computes is handed it. */
    Kernels kernels() {
        return KernelSelection.fastest();
    }

    Precision precision() {
        return new Precision(activations, headActivations, kvType);
    }

    /** Loads a model, with a bar on the terminal if that takes a while. */
    LoadedModel load(GgufFile file, WorkerTeam team) {
        return load(new ModelLoader(file), team);
    }

    /** Loads a model, with a bar on the terminal if that takes a while. */
    LoadedModel load(ModelLoader loader, WorkerTeam team) {
        PrintWriter err = spec.commandLine().getErr();
        warnOfKernels(err);
        try (LoadProgress progress = new LoadProgress(err, loader.file().path())) {
            return cachePacked == null
                    ? loader.load(kernels(), team, progress)
                    : loader.load(kernels(), team, progress, new PackedCache(
                            cachePacked,
                            cacheCheck == CacheCheck.FULL,
                            cacheLoad,
                            new Warnings(err)));
        }
    }

    /** Says on stderr that what this process computes with is slow, if it is. */
    static void warnOfKernels(PrintWriter err) {
        KernelSelection.warning().ifPresent(new Warnings(err)::accept);
    }

    /** Lines on stderr. */
    private record Warnings(PrintWriter err) implements PackedWarnings {
        @Override
        public void accept(String warning) {
            err.println("tidestream: warning: " + Printable.line(warning));
            err.flush();
        }

        @Override
        public String reason(Exception e) {
            return Reasons.of(e);
        }
    }

    @Override
    public String toString() {
        return "threads=%d, kernels=%s, activations=%s, head-activations=%s, kv-type=%s"
                .formatted(threads, kernels().title(), activations.wireName(), headActivations.wireName(),
                        kvType.name().toLowerCase(Locale.ROOT));
    }
}
