package dev.tidestream.server.cli;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.server.safetensors.SafetensorsException;
import dev.tidestream.server.safetensors.SafetensorsFile;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** On the embedded model. */
class TuneCommandTest {
    private static final String STORY = "The engine asks the governor for steam, and the governor answers with a lever of brass. ";

    @TempDir
    Path temp;

    private Path text = Path.of("");

    @BeforeEach
    void write() throws IOException {
        text = Files.writeString(temp.resolve("text.txt"), STORY.repeat(30));
    }

    private Run tune(String out, String... more) {
        List<String> args = new ArrayList<>(List.of("tune", "--data", text.toString(), "--out", temp.resolve(out).toString(),
                "--context", "24", "--batch", "2", "--rank", "2", "--targets", "q_proj,k_proj,down_proj", "--learning-rate", "0.01"));
        args.addAll(List.of(more));
        return Run.of(args.toArray(String[]::new));
    }

    /** With the defaults of the command. */
    private Run bare(String... more) {
        List<String> args = new ArrayList<>(List.of("tune", "--data", text.toString(), "--out", temp.resolve("bare").toString()));
        args.addAll(List.of(more));
        return Run.of(args.toArray(String[]::new));
    }

    /** What was trained, the adapter and the rows, as it stands on disk. */
    private byte[] trained(String out, int step) throws IOException {
        Path checkpoint = temp.resolve(out).resolve("step-%06d".formatted(step));
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.write(Files.readAllBytes(checkpoint.resolve("adapter_model.safetensors")));
        bytes.write(Files.readAllBytes(checkpoint.resolve("rows.safetensors")));
        return bytes.toByteArray();
    }

    @Test
    void shouldLowerThePerplexityOfWhatIsHeldOut() throws IOException {
        Run run = tune("a", "--steps", "6", "--every", "3", "--rows", "used", "--json");
        assertEquals(0, run.code(), run.err());
        assertEquals("", run.err());
        List<String> lines = run.out().lines().toList();
        assertEquals(3, lines.size(), run.out());
        JsonNode first = new ObjectMapper().readTree(lines.getFirst());
        JsonNode last = new ObjectMapper().readTree(lines.getLast());
        assertEquals(0, first.get("step").asInt());
        assertEquals(6, last.get("step").asInt());
        assertTrue(last.get("held_out_perplexity").asDouble() < 0.7 * first.get("held_out_perplexity").asDouble(), run.out());
        assertTrue(Files.exists(Path.of(last.get("checkpoint").asText()).resolve("rows.safetensors")));
    }

    @Test
    void shouldGiveTheSameBitsAgainWithOtherThreadsAndWhenItIsResumed() throws IOException {
        assertEquals(0, tune("a", "--rows", "used", "--steps", "4", "--every", "2", "-t", "2").code());
        assertEquals(0, tune("b", "--rows", "used", "--steps", "4", "--every", "4", "-t", "1").code());
        assertArrayEquals(trained("a", 4), trained("b", 4));
        Path last = temp.resolve("a").resolve("step-000004");
        try (Stream<Path> files = Files.list(last)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        Files.delete(last);
        Run resumed = tune("a", "--rows", "used", "--steps", "4", "--every", "2", "--resume");
        assertEquals(0, resumed.code(), resumed.err());
        assertTrue(resumed.out().contains("going on behind step 2"), resumed.out());
        assertArrayEquals(trained("b", 4), trained("a", 4));
        assertEquals(0, tune("c", "--rows", "used", "--steps", "4", "--every", "4", "--seed", "2").code());
        assertFalse(Arrays.equals(trained("a", 4), trained("c", 4)), "another seed");
    }

    @Test
    void shouldWriteAnAdapterThatOthersRead() throws IOException, SafetensorsException {
        assertEquals(0, tune("a", "--steps", "1").code());
        Path checkpoint = temp.resolve("a").resolve("step-000001").toRealPath();
        JsonNode config = new ObjectMapper().readTree(checkpoint.resolve("adapter_config.json").toFile());
        assertEquals("LORA", config.get("peft_type").asText());
        assertEquals(2, config.get("r").asInt());
        assertEquals(4, config.get("lora_alpha").asInt());
        assertEquals("[\"q_proj\",\"k_proj\",\"down_proj\"]", config.get("target_modules").toString());
        try (SafetensorsFile file = SafetensorsFile.open(checkpoint.resolve("adapter_model.safetensors"))) {
            assertEquals(6 * 3 * 2, file.tensors().size());
            assertEquals(List.of(2L, 256L), file.tensor("base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight").shape());
            assertEquals(List.of(128L, 2L), file.tensor("base_model.model.model.layers.5.self_attn.k_proj.lora_B.weight").shape());
            assertEquals(List.of(2L, 768L), file.tensor("base_model.model.model.layers.5.mlp.down_proj.lora_A.weight").shape());
        }
    }

    @Test
    void shouldReadLinesOfJson() throws IOException {
        text = Files.writeString(temp.resolve("text.jsonl"), ("{\"story\":\"" + STORY.repeat(3) + "\"}\n").repeat(5));
        assertEquals(0, tune("a", "--steps", "1", "--field", "story").code());
        Run other = tune("b", "--steps", "1");
        assertEquals(1, other.code());
        assertTrue(other.err().contains("line 1 has no text in its field 'text': name another with --field"), other.err());
    }

    @Test
    void shouldNameWhatIsWrong() throws IOException {
        assertWrong(2, "--rank must be 1 to 256: 0", bare("--rank", "0"));
        assertWrong(2, "--targets must be of q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj: \"head\"",
                bare("--targets", "head"));
        assertWrong(2, "--rows must be used, all, or token ids with commas between them: \"some\"", bare("--rows", "some"));
        assertWrong(2, "--rows: no such token: token=5000, vocabulary=4096", bare("--rows", "7,5000"));
        assertWrong(2, "--push must begin with ws://", bare("--push", "ftp://x"));
        assertWrong(1, "sequences are longer than the model's context: tokens=513, context=512", bare("--context", "513"));
        assertWrong(1, "--resume: there is no checkpoint in", bare("--resume"));
        text = Files.writeString(temp.resolve("short.txt"), "Too short.");
        assertWrong(1, "the text is too short for two blocks", bare());
    }

    @Test
    void shouldRefuseToGoOnWithAnotherRun() {
        assertEquals(0, tune("a", "--steps", "1").code());
        assertWrong(1, "has checkpoints: go on from them with --resume, or name another directory",
                tune("a", "--steps", "1"));
        assertWrong(1, "--resume: the run has another seed: checkpoint=\"1\", now=\"2\"",
                tune("a", "--steps", "1", "--seed", "2", "--resume"));
    }

    @Test
    void shouldSayInItsHelpWhatItIsNotFor() {
        Run run = Run.of("tune", "--help");
        assertEquals(0, run.code());
        assertTrue(run.out().contains("No GPUs, no full fine-tuning.")
                && run.out().contains("tidestream tune --data tales.jsonl --rank 8"), run.out());
    }

    private static void assertWrong(int code, String message, Run run) {
        assertEquals(code, run.code(), run.err());
        assertTrue(run.err().contains(message), run.err());
    }
}
