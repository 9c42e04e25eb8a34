package dev.tidestream.server.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.model.SharedData;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

class ConvertCommandTest {
    private static final String TOKENS = "0,2399,654,7,100,3";

    @TempDir
    Path temp;

    private static String starter() {
        return SharedData.path("starter/starter-q8_0.gguf").toString();
    }

    @Test
    void shouldWriteAFileWithTheLogitsOfLoadingWithTheSameFormats() throws IOException {
        Path out = temp.resolve("out.gguf");
        Run run = Run.of("convert", "--to", "q4_k", "--head-format", "q5_0", "--json", "-t", "2", starter(), out.toString());
        assertEquals(0, run.code(), run.err());
        assertEquals("", run.err());
        JsonNode json = new ObjectMapper().readTree(run.out());
        assertEquals(Files.size(out), json.get("bytes").asLong());
        assertTrue(json.get("changed").size() > 10, json.toString());
        assertEquals("token_embd.weight", json.get("changed").get(0).get("name").asText());
        assertEquals("Q5_0", json.get("changed").get(0).get("to").asText());

        Path expected = temp.resolve("expected");
        assertEquals(0, Run.of("logits", "--tokens", TOKENS, "--weights", "q4_k", "--head-format", "q5_0", "-o",
                expected.toString()).code());
        assertEquals(0, Run.of("logits", "-m", out.toString(), "--tokens", TOKENS, "-o", temp.resolve("logits").toString()).code());
        assertEquals(-1, Files.mismatch(expected, temp.resolve("logits")));
        Run inspected = Run.of("inspect", out.toString());
        assertEquals(0, inspected.code(), inspected.err());
        assertFalse(inspected.out().contains("\noutput.weight"));
    }

    @Test
    void shouldPrintWhatEachMatrixLost() {
        Run run = Run.of("convert", "--to", "q4_0", starter(), temp.resolve("out.gguf").toString());
        assertEquals(0, run.code(), run.err());
        List<String> lines = run.out().lines().toList();
        assertTrue(lines.getFirst().contains("out.gguf: "), lines.getFirst());
        assertTrue(lines.get(2).matches("MATRIX +FROM +TO +LARGEST ERROR +RMS ERROR"), lines.get(2));
        Run inspected = Run.of("inspect", "--weights", "q4_0", starter());
        assertEquals(Set.copyOf(lines.subList(3, lines.size())),
                inspected.out().substring(inspected.out().indexOf("MATRIX")).lines().skip(1).collect(Collectors.toSet()));
        assertTrue(inspected.out().contains("brought into Q4_0"), inspected.out());
    }

    @Test
    void shouldNotReplaceAFileUnlessForced() throws IOException {
        Path out = Files.writeString(temp.resolve("out.gguf"), "mine");
        Run refused = Run.of("convert", "--to", "q4_0", starter(), out.toString());
        assertEquals(new Run(1, "", "tidestream: %s is there already: --force replaces it\n".formatted(out)), refused);
        assertEquals("mine", Files.readString(out));
        assertEquals(0, Run.of("convert", "--to", "q4_0", "--force", starter(), out.toString()).code());
        try (Stream<Path> files = Files.list(temp)) {
            assertEquals(List.of(out), files.toList());
        }
    }

    @Test
    void shouldRefuseWhatCannotBeRead() throws IOException {
        Path text = Files.writeString(temp.resolve("text"), "no model");
        assertEquals(1, Run.of("convert", "--to", "q4_0", text.toString(), temp.resolve("out.gguf").toString()).code());
        Run format = Run.of("convert", "--to", "i2_s", starter(), temp.resolve("out.gguf").toString());
        assertEquals(2, format.code());
        assertTrue(format.err().contains("must be one of f32, f16, bf16, q8_0"), format.err());
        assertEquals(2, Run.of("convert", "--to", "q4_0", starter()).code());
        assertFalse(Files.exists(temp.resolve("out.gguf")));
    }
}
