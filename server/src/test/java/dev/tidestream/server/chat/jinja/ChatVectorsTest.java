package dev.tidestream.server.chat.jinja;

import java.util.ArrayList;
import java.util.List;

import com.fasterxml.jackson.databind.JsonNode;
import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Every case of every chat template that models came with, character by character. */
class ChatVectorsTest {

    @Test
    void shouldRenderEveryCaseOfEveryTemplate() {
        List<String> differences = new ArrayList<>();
        int cases = 0;
        for (String name : Vectors.names()) {
            JsonNode file = Vectors.file(name + ".json");
            String template = Vectors.template(file);
            for (JsonNode testCase : file.path("cases")) {
                cases++;
                check(differences, name, template, file, testCase, false);
                if (testCase.has("expected_if_lists_may_change")) {
                    check(differences, name, template, file, testCase, true);
                }
            }
        }
        assertTrue(cases >= 3000, "cases: " + cases);
        assertEquals("", String.join("\n", differences.subList(0, Math.min(20, differences.size()))), "of " + differences.size());
    }

    private static void check(
            List<String> differences, String name, String template, JsonNode file, JsonNode testCase, boolean changes) {
        String difference = Vectors.difference(template, testCase, testCase.path("input"), file.path("now").textValue(), changes);
        if (!difference.isEmpty()) {
            differences.add(name + " " + testCase.path("name").textValue() + ": " + difference);
        }
    }
}
