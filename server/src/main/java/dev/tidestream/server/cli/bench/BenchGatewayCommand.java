package dev.tidestream.server.cli.bench;

import java.io.PrintWriter;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeoutException;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

import dev.tidestream.server.bench.cluster.Machine;
import dev.tidestream.server.bench.wire.GatewayRates;
import dev.tidestream.server.cli.terminal.Check;
import dev.tidestream.server.cli.terminal.CliException;
import dev.tidestream.server.cli.terminal.JsonText;

/** {@code bench gateway}: what a gateway costs, and what workers behind it give. */
@Command(
        name = "gateway",
        description = {
            "Measure what a gateway adds to the time between two tokens and to processor time, and how many times the tokens of",
            "one worker several give, over a model that sleeps as long as steps were measured to take. Client, gateway and",
            "workers are one process on this machine."},
        sortOptions = false,
        footer = {
            "",
            "Examples:",
            "  tidestream bench gateway",
            "  tidestream bench gateway --workers 5 --gen-tokens 400 --json",
            "",
            "CPU: processor time of the whole process for each token, client and workers included; what the gateway takes is the",
            "difference of the first two lines."})
final class BenchGatewayCommand implements Callable<Integer> {
    private static final int MOST_WORKERS = 64;

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    private int workers;
    private int slots;
    private int tokens;

    @Option(names = "--workers", paramLabel = "N", defaultValue = "3", description = "Workers (default: ${DEFAULT-VALUE}).")
    void setWorkers(int value) {
        workers = Check.range(spec, "--workers", value, 1, MOST_WORKERS);
    }

    @Option(names = "--slots", paramLabel = "N", defaultValue = "16",
            description = "Streams that each runs at once, and is given (default: ${DEFAULT-VALUE}).")
    void setSlots(int value) {
        slots = Check.range(spec, "--slots", value, 1, Machine.AVX512.maxRows());
    }

    @Option(names = "--gen-tokens", paramLabel = "N", defaultValue = "200",
            description = "Tokens of each stream (default: ${DEFAULT-VALUE}).")
    void setTokens(int value) {
        tokens = Check.range(spec, "--gen-tokens", value, 2, 1 << 20);
    }

    @Option(names = "--json", fallbackValue = "true", description = "Print a JSON object.")
    private boolean json;

    @Override
    public Integer call() {
        GatewayRates rates;
        try {
            rates = GatewayRates.measure(Machine.AVX512, workers, slots, tokens);
        } catch (TimeoutException | IllegalStateException e) {
            throw new CliException("the gateway could not be measured: " + e.getMessage(), e);
        }
        PrintWriter out = spec.commandLine().getOut();
        double share = rates.addedCpuUs() / rates.computedUs();
        if (json) {
            out.println(JsonText.object(text -> {
                text.writeNumberField("workers", workers);
                text.writeNumberField("slots", slots);
                text.writeNumberField("tokens", tokens);
                text.writeNumberField("direct", rates.direct().tokensPerS());
                text.writeNumberField("one", rates.one().tokensPerS());
                text.writeNumberField("several", rates.several().tokensPerS());
                text.writeNumberField("scaling", rates.scaling());
                text.writeNumberField("added_gap_p50_ms", rates.addedGapMs());
                text.writeNumberField("added_cpu_us", rates.addedCpuUs());
                text.writeNumberField("computed_cpu_us", rates.computedUs());
                text.writeNumberField("added_cpu_share", share);
            }));
        } else {
            out.printf(Locale.ROOT, "%d workers, %d streams of %d tokens each%n", workers, slots, tokens);
            out.printf("%-22s %10s %9s %9s %12s%n", "", "TOKENS/S", "GAP50 MS", "GAP99 MS", "CPU US/TOKEN");
            line(out, "1 worker", rates.direct());
            line(out, "gateway, 1 worker", rates.one());
            line(out, "gateway, %d worker%s".formatted(workers, workers == 1 ? "" : "s"), rates.several());
            out.printf(Locale.ROOT, "%d workers give %.2f times the tokens/s of one%n", workers, rates.scaling());
            out.printf(Locale.ROOT, "the gateway adds %.2f ms to the median gap, and %.0f us of processor time to a token: %.2f %% of the "
                    + "%.0f us that it takes to compute%n", rates.addedGapMs(), rates.addedCpuUs(), 100 * share, rates.computedUs());
        }
        out.flush();
        return 0;
    }

    private static void line(PrintWriter out, String name, GatewayRates.Round round) {
        out.printf(Locale.ROOT, "%-22s %10.1f %9.2f %9.2f %12.0f%n", name, round.tokensPerS(), round.gapP50Ms(), round.gapP99Ms(),
                round.cpuUs());
    }
}
