package dev.tidestream.server.app;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.model.SharedData;
import dev.tidestream.model.gguf.ModelSource;
import dev.tidestream.model.tensor.KvType;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.tokenizer.TokenType;
import dev.tidestream.model.tokenizer.Tokenizer;
import dev.tidestream.model.tokenizer.gguf.GgufTokenizer;
import dev.tidestream.model.transformer.ActivationPrecision;
import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.model.transformer.TestModels;
import dev.tidestream.model.transformer.Transformer;
import dev.tidestream.server.huggingface.Goldens;
import dev.tidestream.server.huggingface.Goldens.Golden;
import dev.tidestream.server.huggingface.HuggingFaceFolder;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * Every golden model, folders in both styles of configuration and GGUF files, opened as commands open them: prompt, logits,
 * greedy tokens and their text, in one table. What must hold is what the data's README says of each. With
 * {@code -Dtidestream.models.data=FILE} the
 * table is written as JSON lines, which {@link ModelPage} makes docs/models.md of.
 */
class GoldenModelsTest {
    private static final String MODELS = "golden/models";
    private static final String DATA = "tidestream.models.data";
    private static final List<String> CONFIGURATIONS = List.of("config.json", "config.transformers5.json");

    private static final double FLOATS = 1e-4;
    /** Codes of a ternary model, which others compute, too. */
    private static final double TERNARY_CODES = 1e-3;
    /** Codes where others have floats: llama.cpp's own differ by as much. */
    private static final double CODES = 1;
    private static final double CODES_RMS = 0.2;
    private static final int CODES_AGREEING = 19;

    private static final String REPLACEMENT = "\uFFFD";

    @TempDir
    private Path temporary;

    /** One line: what a model is, and how far its logits are from those of others. */
    private record Row(String model, String file, String architecture, String types, double floats, double codes,
            String comparedWith, int greedy, int steps, List<String> wrong) {
        @Override
        public String toString() {
            return String.format(Locale.ROOT, "%-16s %-36s %8.1e %8.1e  %2d of %2d %s", model, file, floats, codes, greedy, steps,
                    wrong.isEmpty() ? "" : " WRONG: " + wrong);
        }

        ObjectNode json() {
            return new ObjectMapper().createObjectNode().put("model", model).put("file", file)
                    .put("architecture", architecture).put("types", types)
                    .put("floats", floats).put("codes", codes).put("with", comparedWith).put("greedy", greedy).put("steps", steps);
        }
    }

    @Test
    void shouldComputeWhatOthersDo() throws IOException {
        List<Row> rows = new ArrayList<>();
        try (Stream<Path> models = Files.list(SharedData.path(MODELS))) {
            for (Path model : models.sorted().toList()) {
                if (Files.exists(model.resolve("hf"))) {
                    for (String configuration : CONFIGURATIONS) {
                        rows.add(folder(model, configuration));
                    }
                }
                for (Path file : ggufs(model)) {
                    rows.add(file(model, file));
                }
            }
        }
        System.out.printf("%-16s %-36s %8s %8s  greedy%n", "model", "file", "floats", "int8");
        rows.forEach(System.out::println);
        String data = System.getProperty(DATA);
        if (data != null) {
            Files.write(Path.of(data), rows.stream().map(row -> row.json().toString()).toList());
        }
        assertTrue(rows.size() >= 2, "no models");
        assertEquals(List.of(), rows.stream().filter(row -> !row.wrong.isEmpty()).map(Row::toString).toList());
    }

    private static List<Path> ggufs(Path model) throws IOException {
        if (!Files.exists(model.resolve("gguf"))) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(model.resolve("gguf"))) {
            return files.filter(file -> file.toString().endsWith(".gguf")).sorted().toList();
        }
    }

    private Row folder(Path model, String configuration) throws IOException {
        JsonNode json = Goldens.json(model.resolve("golden.json"));
        boolean trainedWithCodes = json.has("float_activations");
        Golden golden = Goldens.read(model, json, trainedWithCodes ? json.get("float_activations") : json);
        Path folder = Goldens.copy(model.resolve("hf"), model.resolve("hf").resolve(configuration),
                temporary.resolve(model.getFileName() + configuration));
        return row(model, "hf, " + configuration, folder, json, golden, trainedWithCodes ? Goldens.read(model, json, json) : golden,
                trainedWithCodes ? TERNARY_CODES : FLOATS); // else weights are floats, and so are activations
    }

    private static Row file(Path model, Path file) throws IOException {
        String name = String.valueOf(file.getFileName());
        Path folder = model.resolve("gguf");
        JsonNode json = Goldens.json(folder.resolve(name.replace(".gguf", ".json")));
        Golden golden = Goldens.read(folder, json, json.get("exact"));
        boolean trainedWithCodes = json.has("exact_a8");
        return row(model, name, file, json, golden, trainedWithCodes ? Goldens.read(folder, json, json.get("exact_a8")) : golden,
                trainedWithCodes ? TERNARY_CODES : CODES);
    }

    private static Row row(
            Path model, String name, Path path, JsonNode json, Golden golden, Golden codesGolden, double codesTolerance)
            throws IOException {
        List<String> wrong = new ArrayList<>();
        try (ModelSource source = ModelFiles.open(path); LoadedModel loaded = Goldens.load(source)) {
            Tokenizer tokenizer = ModelFiles.tokenizer(source);
            check(wrong, Arrays.equals(golden.prompt(), tokenizer.encodePrompt(json.get("prompt").asText(), false)),
                    "tokens of the prompt");
            boolean ofFile = json.has("exact");
            String text = (ofFile ? json.get("exact") : json).get("greedy_text").asText();
            check(wrong, text(source, tokenizer, (ofFile ? golden : codesGolden).greedy()).equals(text), "text of the greedy tokens");

            Transformer floats = loaded.newTransformer(WorkerTeam.sequential(), ActivationPrecision.F32, KvType.F32, 64);
            double difference = Goldens.difference(golden.logits(), TestModels.logits(floats, golden.prompt(), 64));
            check(wrong, difference < FLOATS, "logits with float activations");
            check(wrong, greedy(floats, golden, FLOATS), "greedy tokens with float activations");

            Transformer codes = loaded.newTransformer(WorkerTeam.sequential(), ActivationPrecision.INT8, KvType.F32, 64);
            float[] logits = TestModels.logits(codes, golden.prompt(), 64);
            double ofCodes = Goldens.difference(codesGolden.logits(), logits);
            check(wrong, ofCodes < codesTolerance, "logits with int8 activations");
            check(wrong, codesTolerance == CODES ? isNear(codesGolden.logits(), logits, golden.prompt().length)
                    : greedy(codes, codesGolden, codesTolerance), "int8 activations: rms, best tokens");
            String with = ofFile ? "float64" : golden == codesGolden ? "transformers" : "float64 and transformers";
            return new Row(String.valueOf(model.getFileName()), name,
                    source.metadata().string("general.architecture"), ModelFiles.tensorTypes(source), difference, ofCodes, with,
                    golden.sure(FLOATS), golden.greedy().length, wrong);
        } catch (RuntimeException e) {
            throw new AssertionError(path + ": " + e.getMessage(), e);
        }
    }

    /**
     * Our text, but for one rule of transformers: if a row of byte tokens is not all UTF-8, each of its bytes is U+FFFD. Ours
     * keeps what is text in it, since a stream cannot know what comes.
     */
    private static String text(ModelSource source, Tokenizer tokenizer, int[] tokens) {
        List<TokenType> types = (source instanceof HuggingFaceFolder folder ? folder.tokenizer().orElseThrow()
                : GgufTokenizer.read(source.metadata())).types();
        if (!types.contains(TokenType.BYTE)) {
            return tokenizer.decode(tokens);
        }
        StringBuilder text = new StringBuilder();
        for (int from = 0, to; from < tokens.length; from = to) {
            to = from + 1;
            boolean bytes = types.get(tokens[from]) == TokenType.BYTE;
            while (to < tokens.length && bytes == (types.get(tokens[to]) == TokenType.BYTE)) {
                to++;
            }
            String part = tokenizer.decode(Arrays.copyOfRange(tokens, from, to));
            text.append(bytes && part.contains(REPLACEMENT) ? REPLACEMENT.repeat(to - from) : part);
        }
        return text.toString();
    }

    private static void check(List<String> wrong, boolean right, String what) {
        if (!right) {
            wrong.add(what);
        }
    }

    /** As far as no difference of that size can change them. */
    private static boolean greedy(Transformer model, Golden golden, double tolerance) {
        int sure = golden.sure(tolerance);
        return Arrays.equals(Arrays.copyOf(golden.greedy(), sure), TestModels.greedy(model, golden.prompt(), sure));
    }

    private static boolean isNear(float[] expected, float[] actual, int positions) {
        double squares = 0;
        for (int i = 0; i < expected.length; i++) {
            squares += Math.pow((double) expected[i] - actual[i], 2);
        }
        int vocabulary = expected.length / positions;
        int agreeing = 0;
        for (int at = 0; at < expected.length; at += vocabulary) {
            agreeing += TestModels.argmax(expected, at, vocabulary) == TestModels.argmax(actual, at, vocabulary) ? 1 : 0;
        }
        return Math.sqrt(squares / expected.length) < CODES_RMS && agreeing >= Math.min(CODES_AGREEING, positions);
    }
}
