package dev.tidestream.server.chat.jinja;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.jspecify.annotations.Nullable;

import dev.tidestream.model.SharedData;
import dev.tidestream.server.chat.jinja.base.TemplateException;
import dev.tidestream.server.chat.jinja.base.TemplateLimits;
import dev.tidestream.server.chat.jinja.value.Dict;
import dev.tidestream.server.chat.jinja.value.Sequence;
import dev.tidestream.server.chat.jinja.value.Text;
import dev.tidestream.server.chat.jinja.value.Value;

/** Templates with variables and what they become, from files of JSON. */
final class Vectors {
    static final ObjectMapper JSON = new ObjectMapper();

    private Vectors() {}

    /** The folder of chat templates; a test is skipped without it. */
    static Path folder() {
        return SharedData.path("vectors/chat");
    }

    static JsonNode file(String name) {
        return read(folder().resolve(name));
    }

    static JsonNode read(Path file) {
        try {
            return JSON.readTree(file.toFile());
        } catch (IOException e) {
            throw new AssertionError("cannot read " + file, e);
        }
    }

    static JsonNode resource(String name) {
        try (InputStream in = Objects.requireNonNull(Vectors.class.getResourceAsStream(name), name)) {
            return JSON.readTree(in);
        } catch (IOException e) {
            throw new AssertionError("cannot read " + name, e);
        }
    }

    /** Names of all templates, without {@code .json}. */
    static List<String> names() {
        try (Stream<Path> files = Files.list(folder())) {
            return files.map(file -> file.getFileName().toString()).filter(name -> name.endsWith(".json"))
                    .map(name -> name.substring(0, name.length() - ".json".length())).sorted().toList();
        } catch (IOException e) {
            throw new AssertionError("cannot list " + folder(), e);
        }
    }

    static String template(JsonNode file) {
        try {
            return Files.readString(folder().resolve(file.path("template_file").textValue()));
        } catch (IOException e) {
            throw new AssertionError("cannot read a template", e);
        }
    }

    static Map<String, Value> variables(JsonNode input) {
        Map<String, Value> variables = new LinkedHashMap<>();
        input.properties().forEach(field -> variables.put(field.getKey(), value(field.getValue())));
        return variables;
    }

    static Value value(JsonNode node) {
        return switch (node.getNodeType()) {
            case STRING -> Text.foreign(node.textValue());
            case BOOLEAN -> Value.Bool.of(node.booleanValue());
            case NUMBER -> node.isIntegralNumber() ? new Value.Int(node.bigIntegerValue()) : new Value.Real(node.doubleValue());
            case ARRAY -> {
                List<Value> items = new ArrayList<>();
                node.forEach(item -> items.add(value(item)));
                yield Sequence.list(items);
            }
            case OBJECT -> {
                Dict dict = new Dict();
                node.properties().forEach(field -> dict.put(Text.foreign(field.getKey()), value(field.getValue())));
                yield dict;
            }
            case NULL -> Value.None.NONE;
            case BINARY, MISSING, POJO -> throw new AssertionError("not in a file: " + node.getNodeType());
        };
    }

    /** What a case becomes, compared with what it should: empty if they agree, else what differs. */
    static String difference(String template, JsonNode testCase, JsonNode input, String now, boolean changes) {
        String expected = testCase.path(changes ? "expected_if_lists_may_change" : "expected").textValue();
        try {
            String text = Template.parse(template, TemplateLimits.DEFAULT)
                    .render(variables(input), LocalDateTime.parse(now), changes).chars();
            return text.equals(expected) ? "" : "expected " + quoted(expected) + "\n but got " + quoted(text);
        } catch (TemplateException e) {
            boolean raised = testCase.path("error_kind").asText("").equals("raised");
            boolean same = expected == null
                    && (!raised || (e.kind() == TemplateException.Kind.RAISED && e.reason().equals(testCase.path("error").textValue())));
            return same ? "" : "expected " + (expected == null ? testCase.path("error").textValue() : quoted(expected)) + "\n but failed: "
                    + e.getMessage();
        }
    }

    private static String quoted(@Nullable String text) {
        return text == null ? "a failure" : JSON.getNodeFactory().textNode(text).toString();
    }
}
