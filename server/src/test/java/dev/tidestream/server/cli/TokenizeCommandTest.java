package dev.tidestream.server.cli;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;

class TokenizeCommandTest {

    @Test
    void shouldPrintOneTokenPerLine() {
        assertEquals(new Run(0, """
                  ID  TEXT
                   0  "<|endoftext|>"
                2399  "Once"
                 654  " upon"
                """, ""), Run.of("tokenize", "Once upon"));
    }

    @Test
    void shouldPrintIds() {
        assertEquals(new Run(0, "2399 654\n", ""), Run.of("tokenize", "--ids", "--no-special", "Once upon"));
        assertEquals(new Run(0, "0 2399\n", ""),
                Run.of("tokenize", "--ids", "--no-special", "--parse-special", "<|endoftext|>Once"));
    }

    @Test
    void shouldPrintJson() throws IOException {
        Run run = Run.of("tokenize", "--json", "Once upon");
        JsonNode json = new ObjectMapper().readTree(run.out());
        assertEquals("{\"text\":\"Once upon\",\"tokens\":[0,2399,654],\"pieces\":[\"<|endoftext|>\",\"Once\",\" upon\"]}", json.toString());
    }

    @Test
    void shouldReadStandardInput() {
        InputStream before = System.in;
        try {
            System.setIn(new ByteArrayInputStream("Once upon".getBytes(StandardCharsets.UTF_8)));
            assertEquals(new Run(0, "0 2399 654\n", ""), Run.of("tokenize", "--ids"));
        } finally {
            System.setIn(before);
        }
    }
}
