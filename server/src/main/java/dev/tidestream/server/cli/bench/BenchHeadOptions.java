package dev.tidestream.server.cli.bench;

import java.time.Duration;
import java.util.List;
import java.util.Locale;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.tensor.KvType;
import dev.tidestream.model.transformer.ActivationPrecision;
import dev.tidestream.model.transformer.Precision;
import dev.tidestream.server.cli.terminal.ByteSize;
import dev.tidestream.server.cli.terminal.Check;

/** The options of {@code bench head}. */
@Command(
        name = "head",
        description = "Measure the tied head alone, in each head mode, beside this machine's streaming read.",
        sortOptions = false,
        footer = {
            "",
            "Examples:",
            "  tidestream bench head",
            "  tidestream bench head --vocab 8000,32000,65000 --hidden 4096 --batch 1,4,1024 --format f32,f16,q8_0,q4_0",
            "  tidestream bench head --vocab 128256 --hidden 2048 --batch 1 --format q4_0 --threads 2 --json",
            "  tidestream bench head --vocab 128256 --hidden 2048 --batch 1,16 --format q4_0,q6_k --head-activations int8",
            "",
            "The modes transpose-per-step and cached-transpose (ND4J) hold float32 whatever the format, and are",
            "measured once for each vocabulary, as f32. Between two calls the streaming read runs: every call finds",
            "the caches cold, as in a model. What would not fit in memory is skipped, which is said on stderr.",
            "With --json one object per line:",
            "  {\"mode\":..,\"format\":..,\"vocab\":V,\"hidden\":H,\"batch\":B,\"us\":median per call,\"gb_per_s\":..,",
            "   \"wall_gb_per_s\":streaming read,\"bytes_held\":..}",
            "and \"head_activations\":\"int8\" where they were.",
        })
abstract class BenchHeadOptions {
    private static final int MAX_BATCH = 4096;
    private static final int MAX_ROWS = 1 << 24;
    private static final int MAX_COLUMNS = 1 << 20;
    private static final int MAX_THREADS = 1024;
    private static final double MAX_SECONDS = 3600;
    private static final double NS_PER_S = 1e9;
    private static final int MIB = 1 << 20;

    private List<Integer> vocabularies = List.of();
    private int hidden;
    private List<Integer> batches = List.of();
    private int threads = Runtime.getRuntime().availableProcessors();
    private double seconds;

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    CommandSpec spec;

    @Option(names = "--vocab", paramLabel = "V", split = ",", defaultValue = "8000,32000,65000",
            description = "Sizes of the vocabulary (default: ${DEFAULT-VALUE}).")
    void setVocabularies(List<Integer> values) {
        values.forEach(value -> Check.range(spec, "--vocab", value, 1, MAX_ROWS));
        vocabularies = List.copyOf(values);
    }

    @Option(names = "--hidden", paramLabel = "H", defaultValue = "4096", description = "Hidden size (default: ${DEFAULT-VALUE}).")
    void setHidden(int value) {
        hidden = Check.range(spec, "--hidden", value, 1, MAX_COLUMNS);
    }

    @Option(names = "--batch", paramLabel = "B", split = ",", defaultValue = "1,4,1024",
            description = "Hidden states per call (default: ${DEFAULT-VALUE}).")
    void setBatches(List<Integer> values) {
        values.forEach(value -> Check.range(spec, "--batch", value, 1, MAX_BATCH));
        batches = List.copyOf(values);
    }

    @Option(names = "--format", paramLabel = "F", split = ",", defaultValue = "f32,f16,q8_0,q4_0",
            description = "Formats of the packed head: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
    private List<TensorFormat> formats = List.of();

    @Option(names = "--head-activations", paramLabel = "TYPE", defaultValue = "F32",
            description = "What a quantised packed head is multiplied with: f32 (exact) or int8 (faster). Default: f32.")
    private ActivationPrecision headActivations = ActivationPrecision.F32;

    @Option(names = {"-t", "--threads"}, paramLabel = "N", description = "Threads that compute (default: one per core).")
    void setThreads(int value) {
        threads = Check.range(spec, "--threads", value, 1, MAX_THREADS);
    }

    @Option(names = "--seconds", paramLabel = "S", defaultValue = "1",
            description = "Time for each figure; a slower call is made once (default: ${DEFAULT-VALUE}).")
    void setSeconds(double value) {
        if (!(value > 0 && value <= MAX_SECONDS)) {
            throw new ParameterException(spec.commandLine(),
                    "--seconds must be above 0 and at most %s: %s".formatted(MAX_SECONDS, value));
        }
        seconds = value;
    }

    @Option(names = "--wall-memory", paramLabel = "SIZE", converter = ByteSize.Converter.class, defaultValue = "1GiB",
            description = "Memory for the streaming read; several times the last cache (default: ${DEFAULT-VALUE}).")
    private ByteSize wallMemory = new ByteSize(1 << 30);

    @Option(names = "--json", fallbackValue = "true", description = "Print one JSON object per line.")
    boolean json;

    List<Integer> vocabularies() {
        return vocabularies;
    }

    int hidden() {
        return hidden;
    }

    List<Integer> batches() {
        return batches;
    }

    /** Whose blocks the hidden size is a multiple of. */
    List<TensorFormat> formats() {
        for (TensorFormat format : formats) {
            if (hidden % format.blockElements() != 0) {
                throw new ParameterException(spec.commandLine(), "--hidden must be a multiple of %d for %s: %d"
                        .formatted(format.blockElements(), format.name().toLowerCase(Locale.ROOT), hidden));
            }
        }
        return formats.stream().distinct().toList();
    }

    /** What the heads are multiplied with; no layer and no KV cache takes part. */
    Precision precision() {
        return new Precision(headActivations, headActivations, KvType.F16);
    }

    int threads() {
        return threads;
    }

    Duration budget() {
        return Duration.ofNanos((long) (seconds * NS_PER_S));
    }

    /** Bytes of a pass of the streaming read: whole mebibytes. */
    long wallBytes() {
        return Math.max(1, wallMemory.bytes() / MIB) * MIB;
    }
}
