package dev.tidestream.server.huggingface;

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
import dev.tidestream.model.architecture.ModelException;
import dev.tidestream.model.gguf.GgufFile;
import dev.tidestream.model.gguf.ModelSource;
import dev.tidestream.model.tensor.KvType;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.transformer.ActivationPrecision;
import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.model.transformer.ModelLoader;
import dev.tidestream.model.transformer.TestModels;
import dev.tidestream.model.transformer.Transformer;
import dev.tidestream.server.huggingface.Goldens.Golden;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** All cases of models, folders and files, whose heads are tied, are not, or only seem to be. */
class TiesTest {
    private static final String SUITE = "ties/suite";

    @Test
    void shouldTieWhatIsTied() throws IOException {
        Path suite = SharedData.path(SUITE);
        List<String> table = new ArrayList<>();
        List<String> wrong = new ArrayList<>();
        for (JsonNode entry : Goldens.json(suite.resolve("index.json"))) {
            if (entry.get("kind").asText().equals("base")) {
                Path folder = suite.resolve(entry.get("case").asText());
                JsonNode expected = Goldens.json(folder.resolve("expect.json"));
                for (JsonNode model : expected.get("models")) {
                    String line = String.format(Locale.ROOT, "%-32s %-16s %s", folder.getFileName(), model.asText(),
                            check(folder, folder.resolve(model.asText()), expected));
                    table.add(line);
                    if (line.contains("WRONG")) {
                        wrong.add(line);
                    }
                }
            }
        }
        table.forEach(System.out::println);
        assertTrue(table.size() >= 24, () -> "cases are missing: " + table.size());
        assertEquals(List.of(), wrong);
    }

    /** What is right, or WRONG and why. */
    private static String check(Path folder, Path model, JsonNode expected) throws IOException {
        if (expected.get("tie").asText().equals("error")) {
            String message = String.valueOf(assertThrows(ModelException.class, () -> load(model)).getMessage());
            boolean named = StreamSupport.stream(expected.get("error_names").spliterator(), false).allMatch(names ->
                    StreamSupport.stream(names.spliterator(), false).anyMatch(name -> message.contains(name.asText())));
            return (named ? "refused: " : "WRONG refusal: ") + message.substring(message.indexOf(": ") + 2);
        }
        Golden golden = Goldens.read(folder, Goldens.json(folder.resolve("golden.json")), Goldens.json(folder.resolve("golden.json")));
        try (ModelSource source = open(model)) {
            ModelLoader loader = new ModelLoader(source);
            String tie = loader.tie().tied() ? "tied" : "separate";
            boolean warned = !loader.warnings().isEmpty();
            try (LoadedModel loaded = Goldens.load(source)) {
                Transformer transformer = loaded.newTransformer(WorkerTeam.sequential(), ActivationPrecision.F32, KvType.F32, 64);
                double difference = Goldens.difference(golden.logits(), TestModels.logits(transformer, golden.prompt(), 64));
                double tolerance = expected.get("tolerance").asDouble();
                int sure = expected.has("sampleable_ids") ? 0 : golden.sure(tolerance); // with padding, greedy is the sampler's
                boolean greedy = Arrays.equals(Arrays.copyOf(golden.greedy(), sure), TestModels.greedy(transformer, golden.prompt(), sure));
                boolean right = tie.equals(expected.get("tie").asText()) && warned == expected.get("warn").asBoolean()
                        && loader.tie().copies() == expected.get("copies").asInt() && difference < tolerance && greedy;
                return String.format(Locale.ROOT, "%-8s copies %d, warning %-5s, max difference %.2e, greedy %s (%d)%s", tie,
                        loader.tie().copies(), warned, difference, greedy ? "equal" : "DIFFERENT", sure, right ? "" : " WRONG");
            }
        }
    }

    private static ModelSource open(Path model) {
        return HuggingFaceFolder.isOne(model) ? HuggingFaceFolder.open(model) : GgufFile.open(model);
    }

    private static void load(Path model) {
        try (ModelSource source = open(model)) {
            new ModelLoader(source).check();
        }
    }
}
