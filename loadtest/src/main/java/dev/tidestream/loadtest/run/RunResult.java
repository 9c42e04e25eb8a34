package dev.tidestream.loadtest.run;

import java.util.List;

import dev.tidestream.loadtest.figures.Figures;
import dev.tidestream.loadtest.figures.Mark;
import dev.tidestream.loadtest.figures.Sample;
import dev.tidestream.loadtest.figures.Stage;

/**
 * What came out of one run.
 *
 * @param stages parts of the window, if the load changed
 * @param breaches how often the server broke a promise
 * @param evidence of the first of them
 */
public record RunResult(
        Figures figures, List<Sample> samples, List<Mark> marks, List<Stage> stages, double windowStartS,
        double windowEndS, long breaches, List<String> evidence) {
    public RunResult {
        samples = List.copyOf(samples);
        marks = List.copyOf(marks);
        stages = List.copyOf(stages);
        evidence = List.copyOf(evidence);
    }
}
