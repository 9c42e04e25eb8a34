package dev.tidestream.server.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.tidestream.model.SharedData;
import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.gguf.GgmlType;
import dev.tidestream.model.transformer.RandomLlama;
import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.protocol.FinishReason;
import dev.tidestream.protocol.ServerMessage;
import dev.tidestream.server.transport.NettyLeakCheck;
import dev.tidestream.server.transport.TestClient;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Models and texts of public bug reports, through the commands and through a server. */
class ModelCasesIT {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String CONTROL = "<|im_start|>";
    private static final String ALWAYS_CONTROL = ",\"sampling\":{\"temperature\":0,\"logit_bias\":{\"291\":100}}";

    @RegisterExtension
    static final NettyLeakCheck LEAKS = new NettyLeakCheck();

    @TempDir
    Path folder;

    @Test
    void shouldRefuseTheSameModelsInTheSameWordsEverywhere() throws IOException {
        assertRefused(SharedData.path("cases/spm_Vminus2.gguf"),
                "tokenizer.ggml.tokens has 291 tokens, but token_embd.weight only 289 rows: each token needs one");
        assertRefused(SharedData.path("cases/rope_f0.gguf"), "llama.rope.scaling.factor=0.0 must be a finite number above 0");
        assertRefused(SharedData.path("cases/ctx1.gguf"), "llama.context_length=1 is too short: at least 2 positions are needed,"
                + " one for a prompt and one for what follows");
        assertRefused(written(vocabulary().typed("output_norm.weight", GgmlType.Q8_0)),
                "tensor output_norm.weight is a vector of a type this version cannot compute with: Q8_0"
                        + " (supported: [F32, F16, BF16])");
        assertRefused(written(vocabulary().shaped("blk.1.ffn_up.weight", 64, 95)),
                "tensor blk.1.ffn_up.weight has shape [64, 95], expected [64, 96]");
        assertRefused(written(vocabulary().with("llama.attn_logit_softcapping", 16f)),
                "llama.attn_logit_softcapping=16.0 is not supported: capping of scores or logits");
    }

    private static void assertRefused(Path model, String reason) {
        String line = "tidestream: %s: %s\n".formatted(model, reason);
        Run inspect = Run.of("inspect", model.toString());
        assertEquals(line, inspect.err());
        assertEquals(1, inspect.code());
        assertTrue(inspect.out().contains("general.architecture"), "it is shown all the same");
        assertEquals(new Run(1, "", line), Run.of("serve", "--port", "0", "-m", model.toString()));
        assertEquals(new Run(1, "", line), Run.of("generate", "-m", model.toString(), "--prompt", "a"));
        assertEquals(new Run(1, "", line),
                Run.of("logits", "-m", model.toString(), "--tokens", "1", "--out", model.resolveSibling("no").toString()));
    }

    @Test
    void shouldReadAModelInSeveralFiles() throws IOException {
        Path whole = written(vocabulary());
        List<byte[]> parts = vocabulary().split(3);
        for (int i = 0; i < parts.size(); i++) {
            Files.write(folder.resolve("split-0000%d-of-00003.gguf".formatted(i + 1)), parts.get(i));
        }
        Path first = folder.resolve("split-00001-of-00003.gguf");
        String[] greedy = {"generate", "--prompt", "abc", "-n", "20", "--temperature", "0", "-m", whole.toString()};
        String text = Run.of(greedy).out();
        assertFalse(text.isBlank());
        greedy[8] = first.toString();
        assertEquals(new Run(0, text, ""), Run.of(greedy));
        String[] cached = more(greedy, "--cache-packed", folder.resolve("cache").toString());
        assertEquals(new Run(0, text, ""), Run.of(cached), "packed from all parts");
        assertEquals(new Run(0, text, ""), Run.of(cached), "as packed before");
        Run inspect = Run.of("inspect", first.toString());
        assertEquals(0, inspect.code(), inspect.err());
        assertTrue(inspect.out().startsWith(first + " and 2 more: GGUF version 3, ") && inspect.out().contains("20 tensors"),
                inspect.out());
        assertTrue(inspect.out().lines().anyMatch(line -> line.matches("output_norm.weight +F32 +64 +2: \\d+ +256")),
                inspect.out());

        Path lone = SharedData.path("cases/split1of2.gguf");
        Run refused = new Run(1, "", "tidestream: %s: part 1 of 2: part 2 is missing: %s\n"
                .formatted(lone, lone.resolveSibling("split2of2.gguf")));
        assertEquals(refused, Run.of("inspect", lone.toString()));
        assertEquals(refused, Run.of("serve", "--port", "0", "-m", lone.toString()));
        assertEquals(refused, Run.of("generate", "--prompt", "a", "-m", lone.toString()));
    }

    private static String[] more(String[] command, String... options) {
        return Stream.concat(Stream.of(command), Stream.of(options)).toArray(String[]::new);
    }

    @Test
    void shouldSayInOneLineThatAModelMakesNoLogits() throws IOException {
        Path model = written(vocabulary().huge("output_norm.weight"));
        String reason = "the model computes no usable logits: logit is not a finite number: token=";
        for (Run run : List.of(Run.of("serve", "--port", "0", "-m", model.toString()),
                Run.of("generate", "-m", model.toString(), "--prompt", "a", "--max-tokens", "5"))) {
            assertEquals(1, run.code());
            assertEquals("", run.out());
            assertEquals(1, run.err().lines().count(), run.err());
            assertTrue(run.err().startsWith("tidestream: ") && run.err().contains(reason), run.err());
        }
        assertEquals(0, Run.of("inspect", model.toString()).code(), "its values are not looked at");
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3, 5})
    void shouldServeTheShortestContexts(int positions) throws IOException {
        Path model = written(vocabulary().with("llama.context_length", positions));
        JsonNode answer = json(Run.of("generate", "--json", "-m", model.toString(), "--prompt", "a", "--seed", "1"));
        assertEquals(positions - 1, answer.get("tokens").size());
        try (StartedServer server = new StartedServer(folder, "-m", model.toString())) {
            server.serving.warmUp();
        }
    }

    @Test
    void shouldNeverGenerateWhatIsPadding() throws Exception {
        Path model = SharedData.path("cases/spm_Vplus2.gguf");
        for (String seed : List.of("1", "2", "3")) {
            JsonNode answer = json(Run.of("generate", "--json", "-m", model.toString(), "--prompt", "the a",
                    "--temperature", "100", "--top-k", "0", "-n", "60", "--seed", seed));
            answer.get("tokens").forEach(token -> assertTrue(token.asInt() < 291, token::toString));
        }
        try (StartedServer server = new StartedServer(folder, "-m", model.toString());
                TestClient client = new TestClient(server.port())) {
            server.serving.warmUp();
            assertEquals(291, server.running().engine().vocabularySize());
            client.send("{\"type\":\"generate\",\"id\":\"a\",\"tokens\":[1,292],\"max_tokens\":3}");
            assertEquals(new ServerMessage.Failed("a", ErrorCode.INVALID_VALUE, "tokens[1] is outside the vocabulary: token=292,"
                    + " vocabulary=291; the model's rows behind it are padding: rows=293"), client.next());
            client.generate("b", "the a", 3, ",\"sampling\":{\"logit_bias\":{\"291\":1}}");
            assertEquals(new ServerMessage.Failed("b", ErrorCode.INVALID_VALUE,
                    "logit_bias names a token outside the vocabulary: token=291, vocabulary=291"), client.next());
        }
    }

    @Test
    void shouldStopAtAControlTokenThatAStopStringNames() throws Exception {
        Path model = SharedData.path("cases/added.gguf");
        try (StartedServer server = new StartedServer(folder, "-m", model.toString());
                TestClient client = new TestClient(server.port())) {
            for (String stop : List.of(CONTROL, "x\",\"" + CONTROL + CONTROL)) {
                int tokens = stop.equals(CONTROL) ? 1 : 2;
                client.generate("a", "the a", 6, ",\"stop\":[\"" + stop + "\"]" + ALWAYS_CONTROL);
                assertEquals(IntStream.range(0, tokens).mapToObj(i -> 291).toList(), tokens(client, FinishReason.STOP));
            }
            for (String stop : List.of("<", "im_start", CONTROL + "x")) { // a piece of a name is text
                client.generate("a", "the a", 6, ",\"stop\":[\"" + stop + "\"]" + ALWAYS_CONTROL);
                assertEquals(6, tokens(client, FinishReason.LENGTH).size());
            }
        }
    }

    private static List<Integer> tokens(TestClient client, FinishReason reason) throws InterruptedException {
        List<ServerMessage> frames = client.untilFinished("a");
        assertEquals(reason, ((ServerMessage.Finished) frames.getLast()).reason());
        return frames.stream().filter(ServerMessage.Token.class::isInstance).map(ServerMessage.Token.class::cast)
                .peek(token -> assertEquals("", token.text())).map(ServerMessage.Token::token).toList();
    }

    @Test
    void shouldGiveAPromptNoEndAndOneBeginning() throws IOException {
        String model = SharedData.path("cases/addeos.gguf").toString();
        JsonNode answer = json(Run.of("generate", "--json", "-m", model, "--prompt", "the a", "-n", "3", "--temperature", "0"));
        assertEquals("[1,287,286]", answer.get("prompt_tokens").toString());
        assertFalse(answer.get("tokens").isEmpty());
        assertEquals(new Run(0, "1 287 286\n", ""), Run.of("tokenize", "--ids", "-m", model, "the a"));
    }

    @Test
    void shouldTakeAUsersTextForText() throws Exception {
        String model = SharedData.path("models/stories260K/stories260K.gguf").toString();
        String text = promptTokens(model, "<s>Once");
        assertTrue(text.startsWith("1 ") && text.split(" ").length == 8, text);
        assertEquals("1 403", promptTokens(model, "<s>Once", "--parse-special"));
        assertEquals("1 403", promptTokens(model, "<s>Once", "--special"));
        assertEquals("1 403", promptTokens(model, "Once"));
        try (StartedServer server = new StartedServer(folder, "-m", model); TestClient client = new TestClient(server.port())) {
            for (String field : List.of("parse_special", "special")) {
                for (boolean parsed : new boolean[] {false, true}) {
                    client.generate("a", "<s>Once", 1, ",\"%s\":%s".formatted(field, parsed));
                    ServerMessage.Accepted accepted = (ServerMessage.Accepted) client.untilFinished("a").getFirst();
                    assertEquals(parsed ? 2 : 8, accepted.promptTokens());
                }
            }
        }
    }

    /** The tokens that {@code tokenize} shows, which are those that {@code generate} takes. */
    private static String promptTokens(String model, String prompt, String... option) throws IOException {
        String shown = Run.of(more(new String[] {"tokenize", "--ids", "-m", model, prompt}, option)).out().strip();
        String[] generate = {"generate", "--json", "-m", model, "--prompt", prompt, "-n", "1"};
        JsonNode taken = json(Run.of(more(generate, option))).get("prompt_tokens");
        assertEquals(shown, String.join(" ", IntStream.range(0, taken.size()).mapToObj(i -> taken.get(i).asText()).toList()));
        return shown;
    }

    private static JsonNode json(Run run) throws IOException {
        assertEquals(0, run.code(), run.err());
        return JSON.readTree(run.out());
    }

    private Path written(RandomLlama model) throws IOException {
        return Files.write(Files.createTempFile(folder, "model", ".gguf"), model.bytes());
    }

    /** A model with a vocabulary of letters. */
    private static RandomLlama vocabulary() {
        return new RandomLlama(TensorFormat.F32)
                .with("tokenizer.ggml.model", "gpt2")
                .with("tokenizer.ggml.tokens", IntStream.range(0, 100).mapToObj(i -> Character.toString('A' + i)).toList())
                .with("tokenizer.ggml.merges", List.of());
    }
}
