package dev.tidestream.server.adapters.file;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.StreamSupport;

import com.fasterxml.jackson.databind.JsonNode;
import org.junit.jupiter.api.Test;

import dev.tidestream.model.SharedData;
import dev.tidestream.model.adapter.Adapter;
import dev.tidestream.model.adapter.AdapterException;
import dev.tidestream.model.gguf.GgufFile;
import dev.tidestream.model.gguf.ModelSource;
import dev.tidestream.model.tensor.KvType;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.transformer.ActivationPrecision;
import dev.tidestream.model.transformer.KvCache;
import dev.tidestream.model.transformer.LanguageModel;
import dev.tidestream.model.transformer.LanguageModel.LogitsRows;
import dev.tidestream.model.transformer.LanguageModel.Slice;
import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.model.transformer.ModelLoader;
import dev.tidestream.model.transformer.TestModels;
import dev.tidestream.model.transformer.Transformer;
import dev.tidestream.server.huggingface.Goldens;
import dev.tidestream.server.huggingface.Goldens.Golden;
import dev.tidestream.server.huggingface.HuggingFaceFolder;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** All cases of adapters on models with tied heads and others, on folders and files: what is in force, and the logits, in one table. */
class AdapterTiesTest {
    private static final String SUITE = "ties/suite";
    private static final int ROWS = 64;

    @Test
    void shouldServeAdaptersAsTheyWereMeant() throws IOException {
        Path suite = SharedData.path(SUITE);
        List<String> table = new ArrayList<>();
        for (JsonNode entry : Goldens.json(suite.resolve("index.json"))) {
            if (entry.get("kind").asText().equals("adapter")) {
                Path folder = suite.resolve(entry.get("case").asText());
                JsonNode expected = Goldens.json(folder.resolve("expect.json"));
                for (JsonNode base : expected.get("base")) {
                    table.add(String.format(Locale.ROOT, "%-30s %-16s %s", folder.getFileName(),
                            Path.of(base.asText()).getFileName(), check(folder, folder.resolve(base.asText()).normalize(), expected)));
                }
            }
        }
        table.forEach(System.out::println);
        assertTrue(table.size() >= 23, () -> "cases are missing: " + table.size());
        assertEquals(List.of(), table.stream().filter(line -> line.contains("WRONG")).toList());
    }

    /** What is right, or WRONG and why. */
    private static String check(Path folder, Path base, JsonNode expected) throws IOException {
        try (ModelSource source = HuggingFaceFolder.isOne(base) ? HuggingFaceFolder.open(base) : GgufFile.open(base)) {
            int baseCopies = new ModelLoader(source).tie().copies();
            try (LoadedModel model = Goldens.load(source)) {
                ReadAdapter read = AdapterFiles.read(folder.resolve("adapter"), model);
                try (Adapter adapter = read.adapter()) {
                    return check(folder, model, adapter, read, baseCopies, expected);
                }
            } catch (AdapterException e) {
                return refused(String.valueOf(e.getMessage()), expected);
            }
        }
    }

    private static String refused(String message, JsonNode expected) {
        boolean named = expected.has("error_names") && StreamSupport.stream(expected.get("error_names").spliterator(), false)
                .allMatch(names -> StreamSupport.stream(names.spliterator(), false).anyMatch(name -> message.contains(name.asText())));
        String also = String.valueOf(expected.get("also_right"));
        boolean allowed = (also.contains("use_dora") && message.contains("use_dora"))
                || (also.contains("both shapes") && message.contains("[514, 64]") && message.contains("[512, 64]"));
        boolean right = expected.get("tie").asText().equals("error") ? named : allowed;
        return (right ? "refused: " : "WRONG refusal: ") + message;
    }

    private static String check(Path folder, LoadedModel model, Adapter adapter, ReadAdapter read, int baseCopies, JsonNode expected)
            throws IOException {
        if (expected.get("tie").asText().equals("error")) {
            return "WRONG: not refused";
        }
        JsonNode json = Goldens.json(folder.resolve("golden.json"));
        Golden golden = Goldens.read(folder, json, json);
        Transformer transformer = model.newTransformer(WorkerTeam.sequential(), ActivationPrecision.F32, KvType.F32, ROWS);
        double difference = Goldens.difference(golden.logits(), logits(transformer, golden.prompt(), adapter));
        int sure = golden.sure(expected.get("tolerance").asDouble());
        boolean greedy = Arrays.equals(Arrays.copyOf(golden.greedy(), sure), greedy(transformer, golden.prompt(), sure, adapter));
        String tie = read.tied() ? "tied" : "separate";
        int copies = baseCopies + read.savedMatrices();
        boolean warned = !read.warnings().isEmpty();
        boolean right = tie.equals(expected.get("tie").asText()) && warned == expected.get("warn").asBoolean()
                && copies == expected.get("copies").asInt() && difference < expected.get("tolerance").asDouble() && greedy;
        return String.format(Locale.ROOT, "%-8s copies %d, warning %-5s, max difference %.2e, greedy %s (%d)%s", tie, copies, warned,
                difference, greedy ? "equal" : "DIFFERENT", sure, right ? "" : " WRONG");
    }

    private static float[] logits(LanguageModel model, int[] prompt, Adapter adapter) {
        float[] logits = new float[prompt.length * model.vocabularySize()];
        KvCache cache = TestModels.cache(model, prompt.length);
        assertEquals(prompt.length, model.forward(List.of(new Slice(cache, prompt, 0, prompt.length, LogitsRows.ALL, adapter)), logits));
        return logits;
    }

    private static int[] greedy(LanguageModel model, int[] prompt, int count, Adapter adapter) {
        KvCache cache = TestModels.cache(model, prompt.length + count);
        float[] logits = new float[model.vocabularySize()];
        int[] made = new int[count];
        int[] next = prompt;
        for (int i = 0; i < count; i++) {
            model.forward(List.of(new Slice(cache, next, 0, next.length, LogitsRows.LAST, adapter)), logits);
            made[i] = TestModels.argmax(logits, 0, logits.length);
            next = new int[] {made[i]};
        }
        return made;
    }
}
