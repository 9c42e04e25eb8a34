package dev.tidestream.server.admin.service;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.StreamSupport;

import com.fasterxml.jackson.databind.JsonNode;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.model.SharedData;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.admin.UpdatesDesk.Tied;
import dev.tidestream.server.admin.store.CheckpointPolicy;
import dev.tidestream.server.huggingface.Goldens;
import dev.tidestream.server.huggingface.Goldens.Golden;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** All cases of pushes: what each makes of the logits, and what is refused, with every policy; and the same bits after a restart. */
class PushGoldenTest {
    private static final CheckpointPolicy NEVER = new CheckpointPolicy(0, 1);
    private static final CheckpointPolicy ALWAYS = new CheckpointPolicy(1, 1);

    @TempDir
    Path temp;

    private final List<String> table = new ArrayList<>();
    private final List<String> wrong = new ArrayList<>();
    private int directories;

    @Test
    void shouldDoWhatEveryPushAsksFor() throws Exception {
        Path suite = SharedData.path("ties/suite");
        int cases = 0;
        for (JsonNode entry : Goldens.json(suite.resolve("index.json"))) {
            if (entry.get("kind").asText().equals("push")) {
                Path folder = suite.resolve(entry.get("case").asText());
                JsonNode steps = Goldens.json(folder.resolve("steps.json"));
                double tolerance = Goldens.json(folder.resolve("expect.json")).get("tolerance").asDouble();
                for (JsonNode start : steps.get("start")) {
                    run(folder, steps, folder.resolve(start.asText()).normalize(), tolerance);
                }
                cases++;
            }
        }
        table.forEach(System.out::println);
        assertTrue(cases >= 15, "cases are missing: " + cases);
        assertEquals(List.of(), wrong);
    }

    private void run(Path folder, JsonNode steps, Path start, double tolerance) throws Exception {
        PushedModel model = open(start);
        try {
            for (JsonNode step : steps.get("steps")) {
                if (step.has("policies")) {
                    for (Map.Entry<String, JsonNode> policy : step.get("policies").properties()) {
                        model.close();
                        model = open(start);
                        Tied tied = Tied.valueOf(policy.getKey().toUpperCase(Locale.ROOT));
                        JsonNode expected = policy.getValue();
                        model = step(model, folder, start, steps, step, expected, expected.get("outcome").asText(),
                                Optional.of(tied), tolerance);
                    }
                } else {
                    if (step.path("from").asText().equals("start")) {
                        model.close();
                        model = open(start);
                    }
                    model = step(model, folder, start, steps, step, step, step.get("expect").asText(), Optional.empty(), tolerance);
                }
            }
        } finally {
            model.close();
        }
    }

    private @Nullable Path directory;

    private PushedModel open(Path start) throws Exception {
        directory = Files.createDirectory(temp.resolve("d" + ++directories));
        return new PushedModel(start, directory, NEVER);
    }

    private PushedModel step(PushedModel model, Path folder, Path start, JsonNode steps, JsonNode step, JsonNode expected, String outcome,
            Optional<Tied> tied, double tolerance) throws Exception {
        int[] prompt = StreamSupport.stream(steps.get("prompt_ids").spliterator(), false).mapToInt(JsonNode::asInt).toArray();
        String where = String.format(Locale.ROOT, "%-24s %-16s step %d %-8s %-5s", folder.getFileName(), start.getFileName(),
                step.get("n").asInt(), step.get("kind").asText(), tied.map(policy -> policy.name().toLowerCase(Locale.ROOT)).orElse("-"));
        float[] before = model.logits(prompt);
        String result;
        try {
            model.push(folder.resolve(step.get("file").asText()), tied);
            result = outcome.equals("ok") ? compare(model, folder, steps, expected, prompt, tolerance) : "WRONG: not refused";
        } catch (AdminException e) {
            boolean unchanged = Arrays.equals(before, model.logits(prompt));
            boolean right = outcome.equals("error") && unchanged && named(expected, String.valueOf(e.getMessage()));
            result = (right ? "refused " : "WRONG refusal ") + e.code().wireName() + ": " + e.getMessage();
        }
        note(where + " " + result);
        return restarted(model, start, prompt, where);
    }

    private static boolean named(JsonNode expected, String message) {
        return expected.has("error_names")
                ? StreamSupport.stream(expected.get("error_names").spliterator(), false).allMatch(names ->
                        StreamSupport.stream(names.spliterator(), false).anyMatch(name -> message.contains(name.asText())))
                : message.contains(expected.path("why").asText());
    }

    private static String compare(PushedModel model, Path folder, JsonNode steps, JsonNode expected, int[] prompt, double tolerance)
            throws Exception {
        float[] logits = model.logits(prompt);
        String tie = model.current().blueprint().tied() ? "tied" : "separate";
        Golden golden = Goldens.read(folder, steps, expected.get("after"));
        double difference = Goldens.difference(golden.logits(), logits);
        if (difference >= tolerance && expected.has("after_if_rounded_to_storage_type")) {
            golden = Goldens.read(folder, steps, expected.get("after_if_rounded_to_storage_type"));
            difference = Goldens.difference(golden.logits(), logits);
        }
        boolean padded = steps.get("start_golden").has("sampleable_ids"); // then greedy is the sampler's
        int sure = padded ? 0 : golden.sure(tolerance);
        boolean greedy = Arrays.equals(Arrays.copyOf(golden.greedy(), sure), model.greedy(prompt, sure));
        boolean right = difference < tolerance && greedy && tie.equals(expected.get("tie_after").asText());
        return String.format(Locale.ROOT, "%s%-8s max difference %.2e, greedy %s (%d)", right ? "" : "WRONG ", tie, difference,
                greedy ? "equal" : "DIFFERENT", sure);
    }

    /** Closed and opened again, by replaying and from a checkpoint, it has the same bits. */
    private PushedModel restarted(PushedModel model, Path start, int[] prompt, String where) throws Exception {
        float[] before = model.logits(prompt);
        boolean tied = model.current().blueprint().tied();
        model.close();
        Path kept = directory;
        if (kept == null) {
            throw new AssertionError("no directory");
        }
        try (PushedModel again = new PushedModel(start, kept, ALWAYS)) {
            if (!Arrays.equals(before, again.logits(prompt)) || tied != again.current().blueprint().tied()) {
                note(where + " WRONG after a restart");
            }
            again.checkpoint();
        }
        PushedModel fromCheckpoint = new PushedModel(start, kept, NEVER);
        if (!Arrays.equals(before, fromCheckpoint.logits(prompt)) || tied != fromCheckpoint.current().blueprint().tied()) {
            note(where + " WRONG after a restart from a checkpoint");
        }
        return fromCheckpoint;
    }

    private void note(String line) {
        table.add(line);
        if (line.contains("WRONG")) {
            wrong.add(line);
        }
    }
}
