package dev.tidestream.server.chat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

import com.fasterxml.jackson.databind.JsonNode;

import dev.tidestream.server.chat.jinja.value.Dict;
import dev.tidestream.server.chat.jinja.value.Sequence;
import dev.tidestream.server.chat.jinja.value.Text;
import dev.tidestream.server.chat.jinja.value.Value;

/** JSON as values of a template. All text in it is foreign. Numbers with a fraction or an exponent are floats, others integers. */
final class JsonValues {

    private JsonValues() {}

    /** A new value each time: templates may be allowed to change it. */
    static Value of(JsonNode node) {
        return switch (node.getNodeType()) {
            case STRING -> Text.foreign(node.textValue());
            case BOOLEAN -> Value.Bool.of(node.booleanValue());
            case NUMBER -> node.isIntegralNumber() ? new Value.Int(node.bigIntegerValue()) : new Value.Real(node.doubleValue());
            case ARRAY -> {
                List<Value> items = new ArrayList<>(node.size());
                node.forEach(item -> items.add(of(item)));
                yield Sequence.list(items);
            }
            case OBJECT -> {
                Dict dict = new Dict();
                for (Map.Entry<String, JsonNode> field : node.properties()) {
                    dict.put(Text.foreign(field.getKey()), of(field.getValue()));
                }
                yield dict;
            }
            case NULL, MISSING -> Value.None.NONE;
            case BINARY, POJO -> throw new IllegalArgumentException("not JSON: " + node.getNodeType());
        };
    }
}
