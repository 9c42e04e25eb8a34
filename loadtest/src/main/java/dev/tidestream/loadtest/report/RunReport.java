package dev.tidestream.loadtest.report;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

import org.jspecify.annotations.Nullable;

import dev.tidestream.loadtest.figures.Figure;
import dev.tidestream.loadtest.figures.Figures;
import dev.tidestream.loadtest.figures.Kills;
import dev.tidestream.loadtest.figures.Mark;
import dev.tidestream.loadtest.figures.Promise;
import dev.tidestream.loadtest.figures.PromiseCount;
import dev.tidestream.loadtest.figures.Sample;
import dev.tidestream.loadtest.figures.ServerFigures;
import dev.tidestream.loadtest.figures.Stage;

/**
 * A finished run, or a sweep of several. This is also the form of the JSON file, in snake case.
 *
 * @param question what the scenario asks; empty without a scenario
 * @param startedAt ISO 8601, UTC
 * @param command the options in use
 * @param environment what was measured and where: model, server, processor, threads, by name
 * @param settings what was set, by name
 * @param breaches how often the server broke a promise, in all steps
 * @param ok no breach, no error that was forbidden, and something was measured
 * @param problems why it is not ok
 */
public record RunReport(
        String name, String question, String startedAt, String command, Map<String, String> environment,
        Map<String, String> settings,
        List<Step> steps, long breaches, List<String> evidence, boolean ok, List<String> problems, String note) {
    /** The setting that says what a good request is. */
    public static final String SLO = "slo";
    private static final String NO_SLO = "none";

    public RunReport {
        environment = new LinkedHashMap<>(environment);
        settings = new LinkedHashMap<>(settings);
        steps = List.copyOf(steps);
        evidence = List.copyOf(evidence);
        problems = List.copyOf(problems);
    }

    /** Whether anything was demanded of a good request: without it, all are good and none of it means anything. */
    boolean hasSlo() {
        return !settings.getOrDefault(SLO, NO_SLO).equals(NO_SLO);
    }

    /** How often each promise was checked, in all steps. */
    List<PromiseCount> promiseCounts() {
        List<PromiseCount> sums = new ArrayList<>();
        for (Promise promise : Promise.values()) {
            List<PromiseCount> counts = steps.stream().flatMap(step -> step.promises().stream())
                    .filter(count -> count.promise() == promise).toList();
            sums.add(new PromiseCount(promise, counts.stream().mapToLong(PromiseCount::checked).sum(),
                    counts.stream().mapToLong(PromiseCount::broken).sum()));
        }
        return sums;
    }

    /** One sentence: how much was checked, and what came of it. */
    String checkedText() {
        List<PromiseCount> counts = promiseCounts();
        long times = counts.stream().mapToLong(PromiseCount::checked).sum();
        long kinds = counts.stream().filter(count -> count.checked() > 0).count();
        return String.format(Locale.ROOT, "%d promises were checked %,d times in all: %s", kinds, times,
                breaches == 0 ? "none was broken" : breaches + " times one was broken");
    }

    /**
     * One level of load on one target.
     *
     * @param name of the target, short
     * @param load for people: {@code 4 streams} or {@code 2.5 requests/s}
     * @param level the number of it; of a load that changes, the highest
     * @param noise standard errors of the figures, as far as they are known
     * @param stages parts of the run, if the load changed
     * @param promises what was checked, and how often
     * @param servers what each of several did; empty for one
     * @param kills what became of streams while workers were killed; null if none was
     */
    public record Step(
            String target, String name, String load, double level, Figures figures, Map<Figure, Double> noise,
            List<Sample> samples,
            List<Mark> marks, List<Stage> stages, List<PromiseCount> promises, double windowStartS, double windowEndS,
            List<ServerFigures> servers, @Nullable Kills kills) {
        public Step {
            noise = new TreeMap<>(noise);
            samples = List.copyOf(samples);
            marks = List.copyOf(marks);
            stages = List.copyOf(stages);
            promises = List.copyOf(promises);
            servers = List.copyOf(Objects.requireNonNullElse(servers, List.<ServerFigures>of())); // reports of before have none
        }

        /** Of one server, of which no worker was killed. */
        public Step(String target, String name, String load, double level, Figures figures, Map<Figure, Double> noise,
                List<Sample> samples, List<Mark> marks, List<Stage> stages, List<PromiseCount> promises, double windowStartS,
                double windowEndS) {
            this(target, name, load, level, figures, noise, samples, marks, stages, promises, windowStartS, windowEndS, List.of(), null);
        }

        /** Target and load. */
        String title() {
            return name + ", " + load;
        }
    }
}
