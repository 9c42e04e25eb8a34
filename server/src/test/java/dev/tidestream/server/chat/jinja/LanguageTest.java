package dev.tidestream.server.chat.jinja;

import java.util.ArrayList;
import java.util.List;

import com.fasterxml.jackson.databind.JsonNode;
import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * The language, construct by construct, compared with what jinja2 makes of the same templates. The table {@code language-table.json} was
 * made by {@code make-language-table.py} beside it, with Python 3.11.7 and jinja2 3.1.6 in the environment that transformers sets up.
 */
class LanguageTest {

    @Test
    void shouldMakeWhatJinja2Makes() {
        JsonNode table = Vectors.resource("language-table.json");
        assertEquals("", differences(table, table.path("variables"), 200));
    }

    @Test
    void shouldMakeWhatTheVectorsOfTheLanguageSay() {
        JsonNode table = Vectors.file("language/language.json");
        assertEquals("", differences(table, table.path("input"), 80));
    }

    private static String differences(JsonNode table, JsonNode variables, int atLeast) {
        List<String> differences = new ArrayList<>();
        int cases = 0;
        for (JsonNode testCase : table.path("cases")) {
            cases++;
            String template = testCase.path("template").textValue();
            String difference = Vectors.difference(template, testCase, variables, table.path("now").textValue(), false);
            if (!difference.isEmpty()) {
                differences.add(template + "\n " + difference);
            }
        }
        assertTrue(cases >= atLeast, "cases: " + cases);
        return String.join("\n", differences);
    }
}
