package dev.tidestream.server.huggingface.tokenizer;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;

import dev.tidestream.model.gguf.GgufException;
import dev.tidestream.model.tokenizer.TokenizerException;

/** Reads {@code model}: its two large parts, vocabulary and merges, as they come, and the rest as a tree. */
final class ModelPart {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private final String place;
    private final PackedStrings texts = new PackedStrings();
    private final List<Number> values = new ArrayList<>(); // ids, or scores of tokens in the order of their ids
    private final PackedStrings merges = new PackedStrings(); // left, right, left, right, …
    private final ObjectNode rest = MAPPER.createObjectNode();
    private boolean scored;

    private ModelPart(String place) {
        this.place = place;
    }

    /** @param parser at the start of the object; then at its end */
    static ModelPart read(JsonParser parser, String place) throws IOException {
        ModelPart part = new ModelPart(place);
        part.expect(parser, JsonToken.START_OBJECT, "model");
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            String name = parser.currentName();
            parser.nextToken();
            switch (name) {
                case "vocab" -> part.vocabulary(parser);
                case "merges" -> part.merges(parser);
                default -> part.rest.set(name, MAPPER.<JsonNode>readTree(parser));
            }
        }
        return part;
    }

    private void vocabulary(JsonParser parser) throws IOException {
        scored = parser.currentToken() == JsonToken.START_ARRAY;
        if (scored) {
            while (parser.nextToken() != JsonToken.END_ARRAY) {
                expect(parser, JsonToken.START_ARRAY, "vocab");
                parser.nextToken();
                expect(parser, JsonToken.VALUE_STRING, "vocab");
                texts.add(parser.getText());
                if (!parser.nextToken().isNumeric()) {
                    throw fault(parser, "vocab");
                }
                values.add(parser.getDoubleValue());
                parser.nextToken();
                expect(parser, JsonToken.END_ARRAY, "vocab");
            }
            return;
        }
        expect(parser, JsonToken.START_OBJECT, "vocab");
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            texts.add(parser.currentName());
            parser.nextToken();
            expect(parser, JsonToken.VALUE_NUMBER_INT, "vocab");
            values.add(parser.getIntValue());
        }
    }

    private void merges(JsonParser parser) throws IOException {
        expect(parser, JsonToken.START_ARRAY, "merges");
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            if (parser.currentToken() == JsonToken.VALUE_STRING) {
                merge(parser.getText());
                continue;
            }
            expect(parser, JsonToken.START_ARRAY, "merges");
            for (int i = 0; i < 2; i++) {
                parser.nextToken();
                expect(parser, JsonToken.VALUE_STRING, "merges");
                merges.add(parser.getText());
            }
            parser.nextToken();
            expect(parser, JsonToken.END_ARRAY, "merges");
        }
    }

    private void merge(String text) {
        int space = text.indexOf(' ');
        if (space <= 0 || space == text.length() - 1 || text.indexOf(' ', space + 1) >= 0) {
            throw new TokenizerException("%s.merges[%d]: expected 'left right': '%s'"
                    .formatted(place, merges.size() / 2, GgufException.quote(text)));
        }
        merges.add(text.substring(0, space));
        merges.add(text.substring(space + 1));
    }

    private void expect(JsonParser parser, JsonToken token, String key) throws IOException {
        if (parser.currentToken() != token) {
            throw fault(parser, key);
        }
    }

    private TokenizerException fault(JsonParser parser, String key) throws IOException {
        return new TokenizerException("%s.%s: not understood: %s".formatted(place, key, GgufException.quote(String.valueOf(parser.getText()))));
    }

    /** All but vocabulary and merges. */
    Part rest() {
        return new Part(place, rest);
    }

    int size() {
        return texts.size();
    }

    String text(int index) {
        return texts.get(index);
    }

    /** Of a vocabulary with scores the index. */
    int id(int index) {
        return scored ? index : values.get(index).intValue();
    }

    /** Whether there are scores in place of ids. */
    boolean scored() {
        return scored;
    }

    float score(int index) {
        return values.get(index).floatValue();
    }

    /** left, right, left, right, … */
    List<String> merges() {
        return merges;
    }
}
