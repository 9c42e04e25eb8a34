package dev.tidestream.server.cli.bench;

import java.util.Set;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

import dev.tidestream.server.cli.options.ComputeOptions;
import dev.tidestream.server.cli.options.ModelOption;
import dev.tidestream.server.cli.terminal.Check;

/** The options of {@code bench update}. */
@Command(
        name = "update",
        description = "Measure what weight updates do to the tokens of a running stream.",
        sortOptions = false,
        footer = {
            "",
            "A stream runs in this process, without sockets, and follows the weights; updates of the embedding are",
            "received, built, made durable in a temporary directory and published meanwhile. Before and after each,",
            "nothing is built, and that is measured as well. The builder works in breaks between two steps; LESS",
            "BREAK is the longest time between two tokens without the break that was part of it. TIMES is that time",
            "divided by the median just before and after the update, of the worst update; OVER 2 counts the gaps",
            "over two. COMPUTED is how long the decode thread was on a core in that very gap, in the same units: with",
            "much less than TIMES it waited for a core or for its workers, with as much the machine was slower.",
            "Where a host gives this machine's cores to another one, tokens are late for that as well: STOLEN is what",
            "the system counts of it (/proc/stat, in steps of 10 ms, now and then with the next token only), and",
            "UNDISTURBED is TIMES without the gaps that it was counted in.",
            "The first updates meet some code for the first time, although most is warmed up: they stand in lines of",
            "their own.",
            "",
            "Examples:",
            "  tidestream bench update -m model.gguf",
            "  tidestream bench update -m model.gguf --updates 10 --kinds rows --rows 1000 --json",
            "",
            "With --json one object per line:",
            "  {\"while\":\"nothing\"|\"rows\"|\"low_rank\",\"warm_up\":true|false,\"updates\":N,\"tokens\":N,\"gap_ms\":{",
            "   \"median\":..,\"p99\":..,\"longest\":..,\"longest_less_break\":..},\"break_share\":..,",
            "   \"stolen_ms\":..,\"times\":..,\"times_computed\":..,\"over_twice\":N,\"times_undisturbed\":..}",
        })
abstract class BenchUpdateOptions {
    private static final int MAX_UPDATES = 1000;
    private static final int MAX_RANK = 256;
    private static final int MAX_QUIET = 100_000;
    private static final double DEFAULT_SHARE = 0.25;

    /** Kinds of updates that are measured. */
    enum Kind {
        ROWS,
        LOW_RANK
    }

    @Mixin
    final ModelOption model = new ModelOption();

    private int updates;
    private int warmUpUpdates;
    private int rows;
    private int rank;
    private int quietTokens;
    private double builderShare = DEFAULT_SHARE;

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    CommandSpec spec;

    @Option(names = "--kinds", paramLabel = "KIND", split = ",", defaultValue = "ROWS,LOW_RANK",
            description = "Updates to measure: rows, low_rank (default: both).")
    Set<Kind> kinds = Set.of();

    @Option(names = "--updates", paramLabel = "N", defaultValue = "5",
            description = "Updates of each kind (default: ${DEFAULT-VALUE}).")
    void setUpdates(int value) {
        updates = Check.range(spec, "--updates", value, 1, MAX_UPDATES);
    }

    @Option(names = "--warm-up-updates", paramLabel = "N", defaultValue = "3",
            description = "Updates of each kind before them (default: ${DEFAULT-VALUE}).")
    void setWarmUpUpdates(int value) {
        warmUpUpdates = Check.range(spec, "--warm-up-updates", value, 0, MAX_UPDATES);
    }

    @Option(names = "--rows", paramLabel = "N", defaultValue = "100",
            description = "Rows of the embedding that an update of rows replaces (default: ${DEFAULT-VALUE}).")
    void setRows(int value) {
        rows = Check.range(spec, "--rows", value, 1, Integer.MAX_VALUE);
    }

    @Option(names = "--rank", paramLabel = "R", defaultValue = "8",
            description = "Rank of a low-rank update (default: ${DEFAULT-VALUE}).")
    void setRank(int value) {
        rank = Check.range(spec, "--rank", value, 1, MAX_RANK);
    }

    @Option(names = "--quiet-tokens", paramLabel = "N", defaultValue = "40",
            description = "Tokens before, and again after, each update, with nothing built (default: ${DEFAULT-VALUE}).")
    void setQuietTokens(int value) {
        quietTokens = Check.range(spec, "--quiet-tokens", value, 1, MAX_QUIET);
    }

    @Option(names = "--builder-share", paramLabel = "SHARE", defaultValue = "" + DEFAULT_SHARE,
            description = "As in serve (default: ${DEFAULT-VALUE}).")
    void setBuilderShare(double value) {
        if (!(value > 0 && value <= 1)) {
            throw new ParameterException(spec.commandLine(), "--builder-share must be above 0 and at most 1: " + value);
        }
        builderShare = value;
    }

    @Mixin
    final ComputeOptions compute = new ComputeOptions();

    @Option(names = "--json", fallbackValue = "true", description = "Print one JSON object per line.")
    boolean json;

    int updates() {
        return updates;
    }

    int warmUpUpdates() {
        return warmUpUpdates;
    }

    int rows() {
        return rows;
    }

    int rank() {
        return rank;
    }

    int quietTokens() {
        return quietTokens;
    }

    double builderShare() {
        return builderShare;
    }
}
