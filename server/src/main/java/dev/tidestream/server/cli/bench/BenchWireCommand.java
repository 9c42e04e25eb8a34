package dev.tidestream.server.cli.bench;

import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeoutException;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

import dev.tidestream.server.bench.wire.WireRates;
import dev.tidestream.server.cli.terminal.Check;
import dev.tidestream.server.cli.terminal.CliException;
import dev.tidestream.server.cli.terminal.JsonText;

/** {@code bench wire}: what is left of a bare WebSocket server's frame rate when a scheduler and a protocol stand behind it. */
@Command(
        name = "wire",
        description = {
            "Measure token frames per second over WebSockets: of this server with a model that computes nothing, and of a",
            "bare Vert.x server that sends the same frames, in turn. The client is on the same machine."},
        sortOptions = false,
        footer = {
            "",
            "Examples:",
            "  tidestream bench wire",
            "  tidestream bench wire --streams 100 --gen-tokens 1000 --json",
            "",
            "With --json: {\"streams\":N,\"tokens\":N,\"frame_bytes\":..,\"server\":median,\"bare\":median,\"ratio\":..},",
            "in frames per second"})
final class BenchWireCommand implements Callable<Integer> {
    private static final int MAX_STREAMS = 10_000;

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    private int streams;
    private int tokens;
    private int repeat;

    @Option(names = "--streams", paramLabel = "N", defaultValue = "1000",
            description = "Streams at once, each on a connection of its own (default: ${DEFAULT-VALUE}).")
    void setStreams(int value) {
        streams = Check.range(spec, "--streams", value, 1, MAX_STREAMS);
    }

    @Option(names = "--gen-tokens", paramLabel = "N", defaultValue = "200",
            description = "Tokens of each stream (default: ${DEFAULT-VALUE}).")
    void setTokens(int value) {
        tokens = Check.range(spec, "--gen-tokens", value, 1, 1 << 20);
    }

    @Option(names = "--repeat", paramLabel = "N", defaultValue = "5",
            description = "Rounds of each; the median counts (default: ${DEFAULT-VALUE}).")
    void setRepeat(int value) {
        repeat = Check.range(spec, "--repeat", value, 1, Integer.MAX_VALUE);
    }

    @Option(names = "--json", fallbackValue = "true", description = "Print a JSON object.")
    private boolean json;

    @Override
    public Integer call() {
        WireRates rates;
        try {
            rates = WireRates.measure(streams, tokens, repeat);
        } catch (TimeoutException | IllegalStateException e) {
            throw new CliException("the wire could not be measured: " + e.getMessage(), e);
        }
        PrintWriter out = spec.commandLine().getOut();
        double server = median(rates.server());
        double bare = median(rates.bare());
        if (json) {
            out.println(JsonText.object(text -> {
                text.writeNumberField("streams", streams);
                text.writeNumberField("tokens", tokens);
                text.writeNumberField("frame_bytes", rates.frameBytes());
                text.writeNumberField("server", server);
                text.writeNumberField("bare", bare);
                text.writeNumberField("ratio", server / bare);
            }));
        } else {
            out.printf(Locale.ROOT, "%d streams of %d tokens, frames of %.0f bytes, %d rounds%n",
                    streams, tokens, rates.frameBytes(), repeat);
            out.printf("%-8s %12s %12s %12s%n", "SERVER", "FRAMES/S", "MIN", "MAX");
            line(out, "ours", rates.server());
            line(out, "bare", rates.bare());
            out.printf(Locale.ROOT, "ratio    %12.2f%n", server / bare);
        }
        out.flush();
        return 0;
    }

    private static void line(PrintWriter out, String name, List<Double> rates) {
        double[] sorted = rates.stream().mapToDouble(Double::doubleValue).sorted().toArray();
        out.printf(Locale.ROOT, "%-8s %12.0f %12.0f %12.0f%n", name, median(rates), sorted[0], sorted[sorted.length - 1]);
    }

    private static double median(List<Double> rates) {
        double[] sorted = rates.stream().mapToDouble(Double::doubleValue).sorted().toArray();
        return (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2;
    }
}
