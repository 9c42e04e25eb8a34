package dev.tidestream.loadtest.report;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;

import dev.tidestream.loadtest.figures.Figure;
import dev.tidestream.loadtest.figures.Figures;
import dev.tidestream.loadtest.figures.Latency;
import dev.tidestream.loadtest.figures.Promise;
import dev.tidestream.loadtest.figures.PromiseCount;
import dev.tidestream.loadtest.figures.Sample;

/** Figures, steps and reports with made-up values. */
final class Made {
    static final Latency NOTHING = latency(0, 0);

    private Made() {}

    /** The same latency at all percentiles. */
    static Latency latency(long count, double ms) {
        return new Latency(count, ms, ms, ms, ms, ms, ms, ms, count == 0 ? List.of() : Collections.nCopies(Latency.CURVE.size(),
                ms));
    }

    /** @param latency of everything; of nothing finished, all but the first token are nothing */
    static Figures figures(double tokensPerS, long finished, Latency latency) {
        return figures(tokensPerS, finished, latency, 0);
    }

    /** @param othersCores of other processes */
    static Figures figures(double tokensPerS, long finished, Latency latency, double othersCores) {
        Latency ended = finished == 0 ? NOTHING : latency;
        return new Figures(10, 40, finished, 0, 0, 0, finished / 10.0, Math.round(tokensPerS * 10), tokensPerS, tokensPerS / 4,
                latency, NOTHING, ended, ended, ended, NOTHING, finished, finished / 40.0, finished / 10.0, Map.of(), Map.of(),
                        Map.of(),
                List.of(1L, 1L), new Figures.ClientCpu(0.1, 0.1, othersCores, false), null, 0, 0, null);
    }

    static RunReport.Step step(String name, int level, Figures figures) {
        return step(name, level, figures, Map.of(), List.of());
    }

    /** Measured from second 2 to second 12. */
    static RunReport.Step step(String name, int level, Figures figures, Map<Figure, Double> noise, List<Sample> samples) {
        return new RunReport.Step(name + " ws://host", name, level + " streams", level, figures, noise, samples, List.of(),
                List.of(),
                List.of(new PromiseCount(Promise.SEQUENCE, 100, 0)), 2, 12);
    }

    static RunReport report(Map<String, String> settings, RunReport.Step... steps) {
        return new RunReport("made", "", "now", "", Map.of(), settings, Arrays.asList(steps), 0, List.of(), true, List.of(), "");
    }
}
