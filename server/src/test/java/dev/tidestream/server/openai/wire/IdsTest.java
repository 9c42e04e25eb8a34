package dev.tidestream.server.openai.wire;

import java.util.HashSet;
import java.util.Set;

import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertTrue;

class IdsTest {
    @Test
    void shouldHave128BitsBehindThePrefix() {
        Set<String> ids = new HashSet<>();
        for (int i = 0; i < 1000; i++) {
            String id = Ids.next("resp_");
            assertTrue(id.matches("resp_[0-9a-f]{32}"), id);
            assertTrue(ids.add(id), id);
        }
    }
}
