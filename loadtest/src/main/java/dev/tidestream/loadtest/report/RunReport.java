package dev.tidestream.loadtest.report;

import java.util.List;
import java.util.Map;

import dev.tidestream.loadtest.figures.Figures;
import dev.tidestream.loadtest.figures.Mark;
import dev.tidestream.loadtest.figures.Sample;
import dev.tidestream.loadtest.figures.Stage;

/**
 * A finished run, or a sweep of several. This is also the form of the JSON file, in snake case.
 *
 * @param startedAt ISO 8601, UTC
 * @param command the options in use
 * @param settings what was set, by name
 * @param breaches how often the server broke a promise, in all steps
 * @param ok no breach, no error that was forbidden, and something was measured
 * @param problems why it is not ok
 */
public record RunReport(
        String name, String startedAt, String command, Map<String, String> settings, List<Step> steps, long breaches,
        List<String> evidence, boolean ok, List<String> problems, String note) {
    public RunReport {
        settings = new java.util.LinkedHashMap<>(settings);
        steps = List.copyOf(steps);
        evidence = List.copyOf(evidence);
        problems = List.copyOf(problems);
    }

    /**
     * One level of load on one target.
     *
     * @param load for people: {@code 4 streams} or {@code 2.5 requests/s}
     * @param level the number of it; of a load that changes, the highest
     * @param stages parts of the run, if the load changed
     */
    public record Step(
            String target, String load, double level, Figures figures, List<Sample> samples, List<Mark> marks, List<Stage> stages,
            double windowStartS, double windowEndS) {
        public Step {
            samples = List.copyOf(samples);
            marks = List.copyOf(marks);
            stages = List.copyOf(stages);
        }
    }
}
