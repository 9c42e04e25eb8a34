package dev.tidestream.loadtest.report;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

import dev.tidestream.loadtest.figures.Figures;
import dev.tidestream.loadtest.figures.Sample;

/** What a reader must know before believing the figures of a step. */
final class Remarks {
    /** Of other processes; more is worth a warning. */
    private static final double NOISE_CORES = 0.2;
    /** Fewer tokens/s than that share of the later ones: the beginning was not warm. */
    private static final double COLD_SHARE = 0.9;
    private static final int FEWEST_SAMPLES = 12;

    private Remarks() {}

    static List<String> of(RunReport.Step step) {
        Figures f = step.figures();
        List<String> remarks = new ArrayList<>(of(f));
        double share = coldShare(step);
        if (share < COLD_SHARE) {
            remarks.add(String.format(Locale.ROOT,
                    "the first quarter of the measured time had %.0f %% fewer tokens/s than the rest: the"
                    + " server was not warm yet, it seems (JIT compilation, caches); give it more --warmup", (1 - share) * 100));
        }
        return remarks;
    }

    /** Of a step, or of a stage. */
    static List<String> of(Figures f) {
        List<String> remarks = new ArrayList<>();
        if (f.requests() > 0 && f.finished() == 0) {
            remarks.add(String.format(Locale.ROOT, "no request finished: %d were measured, %d failed, %d cancelled, %d vanished",
                    f.requests(), f.failed(), f.cancelled(), f.vanished()));
        }
        if (f.client().bottleneck()) {
            remarks.add(String.format(Locale.ROOT,
                    "the client itself may be the bottleneck: I/O thread %.0f %% busy, requests late by"
                    + " %.1f ms at p99", f.client().ioShare() * 100, f.lateness().p99()));
        }
        if (wasBusy(f)) {
            remarks.add(String.format(Locale.ROOT, "other processes of this machine used %.2f cores meanwhile",
                    f.client().othersCores()));
        }
        return remarks;
    }

    /** Whether others took so much of the machine that the figures are theirs, too. */
    static boolean wasBusy(Figures f) {
        return f.client().othersCores() > NOISE_CORES;
    }

    /** Tokens/s of the window's first quarter over those of the rest, as medians of samples; 1 if that says nothing. */
    private static double coldShare(RunReport.Step step) {
        double quarterS = step.windowStartS() + (step.windowEndS() - step.windowStartS()) / 4;
        List<Sample> window = step.samples().stream()
                .filter(s -> s.atS() > step.windowStartS() && s.atS() <= step.windowEndS()).toList();
        if (!step.stages().isEmpty() || window.size() < FEWEST_SAMPLES) {
            return 1;
        }
        double early = median(window.stream().filter(s -> s.atS() <= quarterS).toList());
        double late = median(window.stream().filter(s -> s.atS() > quarterS).toList());
        return late == 0 ? 1 : early / late;
    }

    private static double median(List<Sample> samples) {
        double[] tokens = samples.stream().mapToDouble(Sample::tokens).toArray();
        Arrays.sort(tokens);
        return tokens.length == 0 ? 0 : tokens[tokens.length / 2];
    }
}
