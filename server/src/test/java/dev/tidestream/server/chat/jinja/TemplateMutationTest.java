package dev.tidestream.server.chat.jinja;

import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;

import com.fasterxml.jackson.databind.JsonNode;
import org.junit.jupiter.api.Test;

import dev.tidestream.server.chat.jinja.base.TemplateException;
import dev.tidestream.server.chat.jinja.base.TemplateLimits;
import dev.tidestream.server.chat.jinja.value.Value;

import static org.junit.jupiter.api.Assertions.assertTrue;

/** Broken templates: nothing but the typed exception comes out, and work is bounded by {@link TemplateLimits#maxWork}. */
class TemplateMutationTest {
    private static final int TEMPLATES = 20_000;
    private static final TemplateLimits SMALL = new TemplateLimits(1 << 20, 100, 300, 100, 10_000, 1 << 20, 500_000);
    private static final String[] PIECES = {
        "{{", "}}", "{%", "%}", "{#", "#}", "-", "+", "*", "**", "/", "//", "%", "~", "|", "(", ")", "[", "]", "{", "}", ",", ".", ":", "=",
        "==", "<", "'", "\"", "\\", "\n", "1", "99999999", "1e308", "-1", "if", "else", "endif", "for x in l", "endfor",
        "set x = ", "macro m()",
        "endmacro", "call", "break", "is", "in", "not", "none", "loop", "messages", "range(99999)", " | tojson", " | list",
        " | join(messages)",
        " | sort", ".split('')", ".format(l, d)", "'%s%d%q' % ", "namespace()", "recursive", "caller()", "\ud83d", "\u0000", "é"
    };

    @Test
    void shouldThrowNothingButTheTypedException() {
        long seed = 20_261_130;
        Random random = new Random(seed);
        JsonNode table = Vectors.resource("language-table.json");
        List<String> templates = new ArrayList<>();
        table.path("cases").forEach(testCase -> templates.add(testCase.path("template").textValue()));
        int rendered = 0;
        int refused = 0;
        for (int i = 0; i < TEMPLATES; i++) {
            String template = mutated(templates, random);
            try {
                Map<String, Value> variables = Vectors.variables(table.path("variables"));
                Template.parse(template, SMALL).render(variables, LocalDateTime.of(2024, 2, 29, 12, 0), i % 2 == 0);
                rendered++;
            } catch (TemplateException _) {
                refused++;
            } catch (RuntimeException | StackOverflowError e) {
                throw new AssertionError("seed " + seed + ", template " + i + ": " + template, e);
            }
        }
        assertTrue(rendered > 1000 && refused > 1000, "rendered " + rendered + ", refused " + refused);
    }

    private static String mutated(List<String> templates, Random random) {
        StringBuilder text = new StringBuilder(templates.get(random.nextInt(templates.size())));
        for (int n = random.nextInt(4); n >= 0; n--) {
            int at = random.nextInt(text.length() + 1);
            int end = Math.min(text.length(), at + random.nextInt(12));
            switch (random.nextInt(5)) {
                case 0 -> text.delete(at, end);
                case 1 -> text.insert(at, PIECES[random.nextInt(PIECES.length)]);
                case 2 -> text.replace(at, end, PIECES[random.nextInt(PIECES.length)]);
                case 3 -> text.insert(at, text.substring(at, end));
                default -> {
                    String other = templates.get(random.nextInt(templates.size()));
                    int from = random.nextInt(other.length() + 1);
                    text.insert(at, other, from, Math.min(other.length(), from + random.nextInt(40)));
                }
            }
        }
        return text.toString();
    }
}
