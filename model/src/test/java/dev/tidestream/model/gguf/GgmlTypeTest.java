package dev.tidestream.model.gguf;

import java.io.IOException;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.junit.jupiter.api.Test;

import dev.tidestream.model.SharedData;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class GgmlTypeTest {

    @Test
    void shouldAgreeWithTheGoldenTypes() throws IOException {
        JsonNode types = new ObjectMapper().readTree(SharedData.path("golden/dequant/index.json").toFile()).get("types");
        assertEquals(16, types.size());
        for (JsonNode golden : types) {
            GgmlType type = GgmlType.ofId(golden.get("ggml_type_id").asInt()).orElseThrow();
            assertEquals(golden.get("type").asText(), type.name());
            assertEquals(golden.get("block_elements").asInt(), type.blockElements(), type::name);
            assertEquals(golden.get("block_bytes").asInt(), type.blockBytes(), type::name);
        }
    }

    @Test
    void shouldFindTypesById() {
        for (GgmlType type : GgmlType.values()) {
            assertEquals(type, GgmlType.ofId(type.id()).orElseThrow());
        }
        for (int removed : new int[] {-1, 4, 5, 31, 32, 33, 37, 38, 43, Integer.MAX_VALUE, Integer.MIN_VALUE}) {
            assertTrue(GgmlType.ofId(removed).isEmpty(), () -> "id " + removed);
        }
        assertFalse(GgmlType.ofId(0).isEmpty());
    }

    @Test
    void shouldCountBytesOfWholeBlocks() {
        assertEquals(0, GgmlType.Q4_0.bytes(0));
        assertEquals(36, GgmlType.Q4_0.bytes(64));
        assertEquals(64, GgmlType.I2_S.bytes(128));
        assertThrows(IllegalArgumentException.class, () -> GgmlType.Q4_0.bytes(33));
        assertThrows(ArithmeticException.class, () -> GgmlType.F64.bytes(Long.MAX_VALUE));
    }
}
