package dev.tidestream.server.cli.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.junit.jupiter.api.Test;

import dev.tidestream.server.cli.Run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

class BenchGatewayCommandTest {

    @Test
    void shouldMeasureWithAndWithoutAGateway() throws Exception {
        Run run = Run.of(new String[] {"bench", "gateway", "--workers", "2", "--slots", "2", "--gen-tokens", "10", "--json"});
        assertEquals(0, run.code(), run.err());
        JsonNode json = new ObjectMapper().readTree(run.out());
        assertEquals(2, json.get("workers").intValue());
        assertTrue(json.get("direct").doubleValue() > 0, run.out());
        assertEquals(json.get("several").doubleValue() / json.get("one").doubleValue(), json.get("scaling").doubleValue(), 1e-9);
        double step = 1000 / 64.2 + (4000 / 200.3 - 1000 / 64.2) / 3; // ms, of 2 rows, as measured
        assertEquals(step * 1000 / 2 * 2, json.get("computed_cpu_us").doubleValue(), 1);
        assertTrue(json.get("direct").doubleValue() <= 2 * 1000 / step, "no faster than the pace: " + run.out());
    }

    @Test
    void shouldRefuseTooManyWorkers() {
        Run run = Run.of(new String[] {"bench", "gateway", "--workers", "65"});
        assertEquals(2, run.code());
        assertTrue(run.err().contains("--workers"), run.err());
    }
}
