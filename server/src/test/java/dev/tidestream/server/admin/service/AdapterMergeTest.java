package dev.tidestream.server.admin.service;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

import com.fasterxml.jackson.databind.JsonNode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.model.SharedData;
import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.server.adapters.AdapterLimits;
import dev.tidestream.server.adapters.AdapterRefusedException;
import dev.tidestream.server.adapters.AdapterRegistry;
import dev.tidestream.server.admin.AdaptersDesk.Merging;
import dev.tidestream.server.admin.UpdatesDesk.Committed;
import dev.tidestream.server.admin.store.CheckpointPolicy;
import dev.tidestream.server.huggingface.Goldens;
import dev.tidestream.server.huggingface.Goldens.Golden;

import static dev.tidestream.server.admin.service.DeskFixture.code;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Adapters as versions of the weights: the logits of base and adapter, as far as the formats of the base hold the sums. */
class AdapterMergeTest {
    /** Of what the adapter moves a logit by: sums are rounded to F16 or BF16, which has 8 bits of a fraction. */
    private static final double ROUNDED = 0.02;

    /** Started again: tied, untied by the embedding and by the head, whole matrices, rows. */
    private static final List<String> AGAIN = List.of(
            "adapter-head-tied", "adapter-embed", "adapter-head", "adapter-save-embed", "adapter-tokens");

    @TempDir
    Path temp;

    private static AdapterRegistry registry(PushedModel model) {
        return new AdapterRegistry(new AdapterLimits(4, 64 << 20, null), weights -> Long.MAX_VALUE, model.epochs, "model");
    }

    private static AdapterMerge merge(PushedModel model, AdapterRegistry adapters) {
        return new AdapterMerge(adapters, model.epochs, model.updates);
    }

    @Test
    void shouldHaveTheLogitsOfBaseAndAdapter() throws Exception {
        Path suite = SharedData.path("ties/suite");
        List<String> table = new ArrayList<>();
        for (JsonNode entry : Goldens.json(suite.resolve("index.json"))) {
            Path folder = suite.resolve(entry.get("case").asText());
            if (entry.get("kind").asText().equals("adapter")) {
                JsonNode expected = Goldens.json(folder.resolve("expect.json"));
                if (!expected.get("tie").asText().equals("error")) {
                    Path base = folder.resolve(expected.get("base").get(0).asText()).normalize();
                    table.add(String.format(Locale.ROOT, "%-30s %s", folder.getFileName(),
                            check(folder, base, expected, "d" + table.size())));
                }
            }
        }
        table.forEach(System.out::println);
        assertTrue(table.size() >= 14, () -> "cases are missing: " + table.size());
        assertEquals(List.of(), table.stream().filter(line -> line.contains("WRONG")).toList());
    }

    private String check(Path folder, Path base, JsonNode expected, String name) throws Exception {
        JsonNode json = Goldens.json(folder.resolve("golden.json"));
        Golden golden = Goldens.read(folder, json, json);
        float[] merged;
        String result;
        try (PushedModel model = new PushedModel(base, temp.resolve(name), new CheckpointPolicy(0, 1));
                AdapterRegistry adapters = registry(model)) {
            try {
                adapters.load("a", folder.resolve("adapter"));
            } catch (AdapterRefusedException e) {
                return "not served: " + e.getMessage();
            }
            float[] before = model.logits(golden.prompt());
            boolean baseTied = model.current().blueprint().tied();
            Committed done = merge(model, adapters).merge("a", new Merging("m", 1, ""));
            assertEquals("adapter a", done.label());
            merged = model.logits(golden.prompt());
            double difference = Goldens.difference(golden.logits(), merged);
            String tie = model.current().blueprint().tied() ? "tied" : "separate";
            double moved = Goldens.difference(golden.logits(), before);
            boolean right = difference < ROUNDED * moved && tie.equals(baseTied ? expected.get("tie").asText() : "separate");
            result = String.format(Locale.ROOT, "%-8s %3d tensors, max difference %.2e (of the base %.2e)%s", tie, done.changed().size(),
                    difference, moved, right ? "" : " WRONG");
        }
        if (!AGAIN.contains(String.valueOf(folder.getFileName()))) {
            return result;
        }
        try (PushedModel again = new PushedModel(base, temp.resolve(name), new CheckpointPolicy(0, 1))) {
            assertArrayEquals(merged, again.logits(golden.prompt()), "after a restart");
        }
        return result;
    }

    @Test
    void shouldMergeOnceAndLeaveNothingOpenWhenItIsRefused() throws Exception {
        Path folder = SharedData.path("ties/suite/adapter-qv");
        JsonNode expected = Goldens.json(folder.resolve("expect.json"));
        Path base = folder.resolve(expected.get("base").get(0).asText()).normalize();
        try (PushedModel model = new PushedModel(base, temp.resolve("data"), new CheckpointPolicy(0, 1));
                AdapterRegistry adapters = registry(model)) {
            AdapterMerge merge = merge(model, adapters);
            assertEquals(AdminErrorCode.UNKNOWN_ADAPTER, code(() -> merge.merge("law", new Merging("m", 1, ""))));
            adapters.load("law", folder.resolve("adapter"));
            assertEquals(AdminErrorCode.STALE_BASE_VERSION, code(() -> merge.merge("law", new Merging("m", 2, ""))));
            assertEquals(AdminErrorCode.UNKNOWN_UPDATE, code(() -> model.updates.find("m")));
            Committed done = merge.merge("law", new Merging("m", 1, "law in"));
            assertEquals(2, done.version());
            assertEquals("law in", done.label());
            assertFalse(done.repeated());
            Committed again = merge.merge("law", new Merging("m", 1, "law in"));
            assertEquals(2, again.version());
            assertTrue(again.repeated());
            adapters.unload("law");
            assertEquals(2, merge.merge("law", new Merging("m", 1, "law in")).version());
            adapters.load("law", SharedData.path("ties/suite/adapter-head/adapter"));
            assertEquals(AdminErrorCode.UPDATE_CONFLICT, code(() -> merge.merge("law", new Merging("m", 1, "law in"))));
            assertEquals(2, model.log.currentVersion());
        }
    }

    @Test
    void shouldChangeTheTensorsOfTheAdapterAlone() throws Exception {
        Path folder = SharedData.path("ties/suite/adapter-qv");
        Path base = folder.resolve(Goldens.json(folder.resolve("expect.json")).get("base").get(0).asText()).normalize();
        try (PushedModel model = new PushedModel(base, temp.resolve("data2"), new CheckpointPolicy(0, 1));
                AdapterRegistry adapters = registry(model)) {
            adapters.load("a", folder.resolve("adapter"));
            Committed done = merge(model, adapters).merge("a", new Merging("m", 1, ""));
            assertTrue(done.changed().keySet().stream().allMatch(name -> name.matches("blk\\.\\d+\\.attn_[qv]\\.weight")), done.toString());
            assertEquals(2 * model.current().blueprint().layers().size(), done.changed().size());
        }
    }
}
