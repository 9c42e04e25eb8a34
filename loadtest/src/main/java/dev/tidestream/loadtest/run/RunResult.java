package dev.tidestream.loadtest.run;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;

import org.jspecify.annotations.Nullable;

import dev.tidestream.loadtest.figures.Figure;
import dev.tidestream.loadtest.figures.Figures;
import dev.tidestream.loadtest.figures.Kills;
import dev.tidestream.loadtest.figures.Mark;
import dev.tidestream.loadtest.figures.PromiseCount;
import dev.tidestream.loadtest.figures.Sample;
import dev.tidestream.loadtest.figures.ServerFigures;
import dev.tidestream.loadtest.figures.Stage;

/**
 * What came out of one run.
 *
 * @param noise standard errors of the figures, as far as they are known
 * @param stages parts of the window, if the load changed
 * @param promises what was checked, how often, and how often it was broken
 * @param evidence of the first that were broken
 * @param servers of each of several; empty for one
 * @param kills null if no worker was killed
 */
public record RunResult(
        Figures figures, Map<Figure, Double> noise, List<Sample> samples, List<Mark> marks, List<Stage> stages,
        double windowStartS,
        double windowEndS, List<PromiseCount> promises, List<String> evidence, List<ServerFigures> servers,
        @Nullable Kills kills) {
    public RunResult {
        noise = new TreeMap<>(noise);
        samples = List.copyOf(samples);
        marks = List.copyOf(marks);
        stages = List.copyOf(stages);
        promises = List.copyOf(promises);
        evidence = List.copyOf(evidence);
        servers = List.copyOf(servers);
    }

    /** How often the server broke a promise. */
    public long breaches() {
        return promises.stream().mapToLong(PromiseCount::broken).sum();
    }
}
