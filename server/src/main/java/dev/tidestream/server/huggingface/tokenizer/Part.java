package dev.tidestream.server.huggingface.tokenizer;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

import com.fasterxml.jackson.databind.JsonNode;

import dev.tidestream.model.gguf.GgufException;
import dev.tidestream.model.tokenizer.TokenizerException;

/**
 * A value of tokenizer.json and where it stands, for messages. What is asked for must be there and of its type; {@link #only} refuses all
 * keys that nobody asks for.
 */
record Part(String place, JsonNode node) {

    boolean isNull() {
        return node.isNull() || node.isMissingNode();
    }

    /** {@code type} of an object. */
    String type() {
        return text("type");
    }

    /** Refuses other keys. */
    Part only(String... keys) {
        Set<String> known = Set.of(keys);
        node.properties().forEach(field -> {
            if (!known.contains(field.getKey())) {
                throw at(field.getKey()).refusal();
            }
        });
        return this;
    }

    Part at(String key) {
        return new Part(place + (place.endsWith(":") ? " " : ".") + key, node.path(key));
    }

    List<Part> elements() {
        if (!node.isArray()) {
            throw refusal();
        }
        List<Part> elements = new ArrayList<>();
        for (int i = 0; i < node.size(); i++) {
            elements.add(new Part("%s[%d]".formatted(place, i), node.get(i)));
        }
        return elements;
    }

    String text(String key) {
        Part part = at(key);
        if (!part.node.isTextual()) {
            throw part.refusal();
        }
        return part.node.textValue();
    }

    Optional<String> findText(String key) {
        return at(key).isNull() ? Optional.empty() : Optional.of(text(key));
    }

    boolean bool(String key, boolean byDefault) {
        Part part = at(key);
        if (part.isNull()) {
            return byDefault;
        }
        if (!part.node.isBoolean()) {
            throw part.refusal();
        }
        return part.node.booleanValue();
    }

    int integer(String key) {
        Part part = at(key);
        if (!part.node.canConvertToInt() || !part.node.isIntegralNumber()) {
            throw part.refusal();
        }
        return part.node.intValue();
    }

    /** Refuses any value but one that changes nothing: none, an empty text, 0 or false. */
    void absent(String key) {
        Part part = at(key);
        boolean nothing = part.isNull() || (part.node.isTextual() && part.node.textValue().isEmpty())
                || (part.node.isNumber() && part.node.doubleValue() == 0) || (part.node.isBoolean() && !part.node.booleanValue());
        if (!nothing) {
            throw part.refusal();
        }
    }

    /** An id that no token has. */
    TokenizerException outside(int tokens) {
        return new TokenizerException("%s: not in the vocabulary: id=%s, tokens=%d"
                .formatted(place, GgufException.quote(node.toString()), tokens));
    }

    /** What is not understood, by key and value. */
    TokenizerException refusal() {
        return new TokenizerException("%s: not understood: %s"
                .formatted(place, node.isMissingNode() ? "missing" : GgufException.quote(node.toString())));
    }
}
