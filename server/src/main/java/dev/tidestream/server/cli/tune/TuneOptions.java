package dev.tidestream.server.cli.tune;

import java.net.URI;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

import dev.tidestream.console.Printable;
import dev.tidestream.model.tuning.Target;
import dev.tidestream.model.tuning.Trained;
import dev.tidestream.server.cli.admin.AdminOptions;
import dev.tidestream.server.cli.options.ModelOption;
import dev.tidestream.server.cli.terminal.Check;

/** The options of {@code tune}. */
@Command(
        name = "tune",
        description = {
            "Fine-tune a small model on a text, on the CPU.",
            "",
            "Trains adapters of low rank (LoRA) on linear layers (--rank), rows of the embedding (--rows), or both. Of a tied model a row"
                    + " is trained in both of its uses. A share of the text is held out, and its perplexity is printed. The same seed"
                    + " gives the same weights. Checkpoints are adapters in the format of PEFT, and can be gone on from (--resume)."
                    + " With --push, a running server takes every version while it serves.",
            "",
            "For models of the architecture llama with at most 200 million parameters. No GPUs, no full fine-tuning.",
        },
        sortOptions = false,
        footer = {
            "",
            "Examples:",
            "  tidestream tune --data tales.jsonl --rank 8",
            "  tidestream tune --data notes.txt --rows used --steps 100 --out tuned",
            "  tidestream tune --data notes.txt --rank 8 --push ws://127.0.0.1:8080 --token-file admin-token",
            "  tidestream tune --data notes.txt --rank 8 --resume",
        })
abstract class TuneOptions {
    private static final int MAX_RANK = 256;
    private static final int MAX_STEPS = 1_000_000;
    private static final int MAX_THREADS = 1024;
    private static final int SHOWN_CHARS = 100;
    private static final float MAX_RATE = 1f;
    private static final float MAX_ALPHA = 1000f;
    private static final float MAX_SHARE = 0.5f;
    private static final float MIN_SHARE = 0.001f;
    private static final int MAX_BATCH = 256;
    private static final int DEFAULT_RANK = 8;
    private static final String USED = "used";
    private static final String ALL = "all";

    @Mixin
    final ModelOption model = new ModelOption();

    @Option(names = {"-d", "--data"}, paramLabel = "FILE", required = true,
            description = "The text, in UTF-8: a .jsonl file with a document in each line, or any other file as one document.")
    Path data = Path.of("");

    @Option(names = "--field", paramLabel = "NAME", defaultValue = "text",
            description = "The field of each line of JSON that has the text (default: ${DEFAULT-VALUE}).")
    String field = "";

    private int rank = DEFAULT_RANK;
    private boolean rankGiven;
    private float alpha;
    private Set<Target> targets = EnumSet.allOf(Target.class);
    private @Nullable String rows;

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    CommandSpec spec;

    @Option(names = "--rank", paramLabel = "R",
            description = "Rank of the adapters (default: 8, or no adapters with --rows).")
    void setRank(int value) {
        rank = Check.range(spec, "--rank", value, 1, MAX_RANK);
        rankGiven = true;
    }

    @Option(names = "--alpha", paramLabel = "A", description = "Adapters are multiplied by A / R (default: 2 R).")
    void setAlpha(float value) {
        alpha = Check.range(spec, "--alpha", value, Float.MIN_NORMAL, MAX_ALPHA);
    }

    @Option(names = "--targets", paramLabel = "NAME", split = ",",
            description = "Linear layers that get an adapter (default: all): q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj,"
                    + " down_proj.")
    void setTargets(List<String> values) {
        targets = EnumSet.noneOf(Target.class);
        for (String value : values) {
            targets.add(Arrays.stream(Target.values()).filter(target -> target.word().equals(value)).findFirst()
                    .orElseThrow(() -> wrong("--targets must be of %s: %s"
                            .formatted(Target.words(), Printable.quoted(value, SHOWN_CHARS)))));
        }
    }

    @Option(names = "--rows", paramLabel = "ROWS",
            description = "Rows of the embedding to train: used (all tokens of the text), all, or token ids, 5,17,900.")
    void setRows(String value) {
        if (!value.equals(USED) && !value.equals(ALL) && !value.matches("\\d{1,9}(,\\d{1,9})*")) {
            throw wrong("--rows must be used, all, or token ids with commas between them: " + Printable.quoted(value, SHOWN_CHARS));
        }
        rows = value;
    }

    private int steps;
    private int batch;
    private int context;
    private float learningRate;
    private float heldOut;
    private int every;
    private int threads = Runtime.getRuntime().availableProcessors();

    @Option(names = "--steps", paramLabel = "N", defaultValue = "200", description = "Steps of the whole run (default: ${DEFAULT-VALUE}).")
    void setSteps(int value) {
        steps = Check.range(spec, "--steps", value, 1, MAX_STEPS);
    }

    @Option(names = "--batch", paramLabel = "N", defaultValue = "4", description = "Blocks of a step (default: ${DEFAULT-VALUE}).")
    void setBatch(int value) {
        batch = Check.range(spec, "--batch", value, 1, MAX_BATCH);
    }

    @Option(names = "--context", paramLabel = "N", defaultValue = "128", description = "Tokens of a block (default: ${DEFAULT-VALUE}).")
    void setContext(int value) {
        context = Check.range(spec, "--context", value, 2, 1 << 14);
    }

    @Option(names = "--learning-rate", paramLabel = "X", defaultValue = "0.001",
            description = "The highest of the run: it rises for a tenth of the steps, then falls to a tenth (default: ${DEFAULT-VALUE}).")
    void setLearningRate(float value) {
        learningRate = Check.range(spec, "--learning-rate", value, Float.MIN_NORMAL, MAX_RATE);
    }

    @Option(names = "--held-out", paramLabel = "SHARE", defaultValue = "0.1",
            description = "Share of the blocks that is never trained on (default: ${DEFAULT-VALUE}).")
    void setHeldOut(float value) {
        heldOut = Check.range(spec, "--held-out", value, MIN_SHARE, MAX_SHARE);
    }

    @Option(names = "--every", paramLabel = "N", defaultValue = "50",
            description = "Steps between two checkpoints, each with held-out perplexity and a push (default: ${DEFAULT-VALUE}).")
    void setEvery(int value) {
        every = Check.range(spec, "--every", value, 1, MAX_STEPS);
    }

    @Option(names = "--seed", paramLabel = "N", defaultValue = "1", description = "Decides all that is random (default: ${DEFAULT-VALUE}).")
    long seed;

    @Option(names = {"-o", "--out"}, paramLabel = "DIR", defaultValue = "tuned",
            description = "Where checkpoints are written (default: ${DEFAULT-VALUE}).")
    Path out = Path.of("");

    @Option(names = "--resume", fallbackValue = "true", description = "Go on from the newest checkpoint of DIR.")
    boolean resume;

    private @Nullable URI push;

    @Option(names = "--push", paramLabel = "URL",
            description = "Push every checkpoint's weights to this server's admin channel: ws://host:port.")
    void setPush(String value) {
        try {
            push = AdminOptions.endpoint(value);
        } catch (IllegalArgumentException e) {
            throw wrong("--push " + e.getMessage());
        }
    }

    @Option(names = "--token-file", paramLabel = "FILE",
            description = "A file with the admin token, for --push (default: the environment variable "
                    + AdminOptions.TOKEN_VARIABLE + ").")
    private @Nullable Path tokenFile;

    @Option(names = {"-t", "--threads"}, paramLabel = "N",
            description = "Threads that compute (default: one per core); the weights do not depend on it.")
    void setThreads(int value) {
        threads = Check.range(spec, "--threads", value, 1, MAX_THREADS);
    }

    @Option(names = "--json", fallbackValue = "true", description = "Print one JSON object for each checkpoint, in a line of its own.")
    boolean json;

    ParameterException wrong(String message) {
        return new ParameterException(spec.commandLine(), message);
    }

    /** What these options train, given the tokens of the text and the vocabulary. */
    Trained trained(int[] tokens, int vocabulary) {
        boolean adapters = rankGiven || rows == null;
        List<Integer> ids = rows == null ? List.of() : switch (rows) {
            case USED -> IntStream.of(tokens).sorted().distinct().boxed().toList();
            case ALL -> IntStream.range(0, vocabulary).boxed().toList();
            default -> List.copyOf(new TreeSet<>(Arrays.stream(rows.split(",")).map(Integer::valueOf).toList()));
        };
        if (!ids.isEmpty() && ids.getLast() >= vocabulary) {
            throw wrong(String.format(Locale.ROOT, "--rows: no such token: token=%d, vocabulary=%d", ids.getLast(), vocabulary));
        }
        return new Trained(adapters ? targets : Set.of(), adapters ? rank : 0, adapters ? (alpha == 0 ? 2 * rank : alpha) : 0, ids);
    }

    /** All that decides the weights. */
    RunSettings settings(String modelHash, String dataHash, Trained trained) {
        return new RunSettings(modelHash, dataHash, trained, context, batch, steps, learningRate, Math.max(1, steps / 10), heldOut, seed);
    }

    int context() {
        return context;
    }

    int every() {
        return every;
    }

    int threads() {
        return threads;
    }

    /** The admin channel to push to, if any. */
    @Nullable URI push() {
        return push;
    }

    String token() {
        return AdminOptions.token(spec, tokenFile, System::getenv);
    }
}
