package dev.tidestream.server.cli.bench;

import java.io.PrintWriter;
import java.util.Locale;
import java.util.concurrent.Callable;

import picocli.CommandLine.Command;

import dev.tidestream.server.bench.cluster.SimResult;
import dev.tidestream.server.bench.cluster.Simulation;
import dev.tidestream.server.cli.terminal.JsonText;

/** {@code bench cluster-sim}: what many workers would do, from what one has been measured to do. */
@Command(name = "cluster-sim") // picocli wants the name of a subcommand on its own class; the rest is inherited
final class BenchClusterSimCommand extends ClusterSimOptions implements Callable<Integer> {
    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        if (!json) {
            out.printf("%7s %6s %-7s %9s %7s %7s %5s %5s %7s %7s %7s %6s %7s %10s%n", "WORKERS", "RATE", "PHASE", "TOKENS/S", "ASKED",
                    "REFUSED", "HIT", "MOST", "TTFT50", "TTFT95", "TTFT99", "GAP50", "GAP99", "BUSY");
        }
        for (int count : workers()) {
            for (double rate : rates()) {
                SimResult result = Simulation.run(config(count, rate));
                if (json) {
                    result.phases().forEach(phase -> out.println(json(count, rate, result, phase)));
                } else {
                    print(out, count, rate, result);
                }
                out.flush();
            }
        }
        return 0;
    }

    private static void print(PrintWriter out, int count, double rate, SimResult result) {
        for (SimResult.Phase phase : result.phases()) {
            out.printf(Locale.ROOT, "%7d %6.2f %-7s %9.0f %7d %7d %5.2f %5.2f %7.0f %7.0f %7.0f %6.1f %7.1f %5.2f %4.2f%n", count, rate,
                    phase.name(), phase.tokensPerS(), phase.asked(), phase.refused(), phase.hitRate(), phase.mostHitRate(),
                    phase.ttftP50Ms(), phase.ttftP95Ms(), phase.ttftP99Ms(), phase.gapP50Ms(), phase.gapP99Ms(), result.busy(),
                    result.mostBusy());
        }
        if (result.movedStreams() > 0) {
            out.printf(Locale.ROOT, "%d streams went on at another worker in their midst, after %.0f ms (median), %.0f ms (longest)%n",
                    result.movedStreams(), result.pauseMs(), result.longestPauseMs());
        }
    }

    private String json(int count, double rate, SimResult result, SimResult.Phase phase) {
        return JsonText.object(text -> {
            text.writeNumberField("workers", count);
            text.writeNumberField("gateways", gateways());
            text.writeStringField("policy", policyName());
            text.writeNumberField("rate", rate);
            text.writeStringField("phase", phase.name());
            text.writeNumberField("seconds", phase.seconds());
            text.writeNumberField("asked", phase.asked());
            text.writeNumberField("finished", phase.finished());
            text.writeNumberField("refused", phase.refused());
            text.writeNumberField("moved", phase.moved());
            text.writeNumberField("tokens_per_s", phase.tokensPerS());
            text.writeNumberField("hit_rate", phase.hitRate());
            text.writeNumberField("most_hit_rate", phase.mostHitRate());
            text.writeNumberField("ttft_p50_ms", phase.ttftP50Ms());
            text.writeNumberField("ttft_p95_ms", phase.ttftP95Ms());
            text.writeNumberField("ttft_p99_ms", phase.ttftP99Ms());
            text.writeNumberField("gap_p50_ms", phase.gapP50Ms());
            text.writeNumberField("gap_p99_ms", phase.gapP99Ms());
            text.writeNumberField("gap_p999_ms", phase.gapP999Ms());
            text.writeNumberField("busy", result.busy());
            text.writeNumberField("most_busy", result.mostBusy());
            text.writeNumberField("moved_streams", result.movedStreams());
            text.writeNumberField("pause_p50_ms", result.pauseMs());
            text.writeNumberField("pause_max_ms", result.longestPauseMs());
        });
    }
}
