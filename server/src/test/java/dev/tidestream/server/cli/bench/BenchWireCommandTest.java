package dev.tidestream.server.cli.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.junit.jupiter.api.Test;

import dev.tidestream.server.cli.Run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

class BenchWireCommandTest {

    @Test
    void shouldMeasureBothServers() throws Exception {
        Run run = Run.of(new String[] {"bench", "wire", "--streams", "3", "--gen-tokens", "40", "--repeat", "1", "--json"});
        assertEquals(0, run.code(), run.err());
        JsonNode json = new ObjectMapper().readTree(run.out());
        assertEquals(3, json.get("streams").intValue());
        assertEquals(40, json.get("tokens").intValue());
        assertTrue(json.get("frame_bytes").doubleValue() > 60, run.out()); // a token's fields alone take as many
        assertTrue(json.get("server").doubleValue() > 0, run.out());
        assertEquals(json.get("server").doubleValue() / json.get("bare").doubleValue(), json.get("ratio").doubleValue(), 1e-9);
    }

    @Test
    void shouldRefuseTooManyStreams() {
        Run run = Run.of(new String[] {"bench", "wire", "--streams", "10001"});
        assertEquals(2, run.code());
        assertTrue(run.err().contains("--streams"), run.err());
    }
}
