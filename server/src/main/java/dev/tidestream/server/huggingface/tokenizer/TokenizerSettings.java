package dev.tidestream.server.huggingface.tokenizer;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

import com.fasterxml.jackson.databind.JsonNode;

import dev.tidestream.model.tokenizer.TokenizerException;

/**
 * What stands beside a vocabulary: tokenizer_config.json, special_tokens_map.json, generation_config.json and config.json. Of a token that
 * several name the first counts; of tokens that end generation all do. Ids that are not in the vocabulary are left out, since configurations
 * of larger models name tokens that text has none of; but for BOS and EOS, where nothing else says which they are.
 *
 * @param special by role ({@code bos}, {@code eos}, {@code unk}, {@code pad}): the text of the token
 * @param ids by role: ids, where no text says it
 * @param ends ids that end generation
 * @param added tokens that only tokenizer_config.json has, by id
 * @param config tokenizer_config.json; missing if there is none
 */
record TokenizerSettings(
        Map<String, String> special, Map<String, Integer> ids, Set<Integer> ends, Map<Integer, AddedTokenPart> added, JsonNode config) {
    private static final List<String> ROLES = List.of("bos", "eos", "unk", "pad");

    /** Parts of config.json that say what the text model is, where there are other models beside it. */
    private static final List<String> INSIDE = List.of("text_config", "language_config", "llm_config");

    private static final int NO_TOKEN = -1; // as some configurations write it

    static TokenizerSettings read(Path folder) throws IOException {
        JsonNode config = JsonFile.tree(folder.resolve("tokenizer_config.json"));
        JsonNode map = JsonFile.tree(folder.resolve("special_tokens_map.json"));
        JsonNode generation = JsonFile.tree(folder.resolve("generation_config.json"));
        JsonNode model = JsonFile.tree(folder.resolve("config.json"));
        Map<String, String> special = new LinkedHashMap<>();
        Map<String, Integer> ids = new LinkedHashMap<>();
        Set<Integer> ends = new LinkedHashSet<>();
        for (String role : ROLES) {
            for (JsonNode node : List.of(config, map)) {
                text(node.path(role + "_token")).ifPresent(text -> special.putIfAbsent(role, text));
            }
            List<Part> saying = new ArrayList<>(List.of(
                    new Part("generation_config.json:", generation), new Part("config.json:", model)));
            INSIDE.forEach(key -> saying.add(new Part("config.json:", model).at(key)));
            for (Part part : saying) {
                for (int id : ids(part.at(role + "_token_id"))) {
                    ids.putIfAbsent(role, id);
                    if (role.equals("eos")) {
                        ends.add(id);
                    }
                }
            }
        }
        Map<Integer, AddedTokenPart> added = new LinkedHashMap<>();
        config.path("added_tokens_decoder").properties().forEach(field -> {
            Part part = new Part("tokenizer_config.json: added_tokens_decoder." + field.getKey(), field.getValue());
            if (!field.getKey().matches("\\d{1,9}")) {
                throw part.refusal();
            }
            added.put(Integer.valueOf(field.getKey()), AddedTokenPart.read(part));
        });
        return new TokenizerSettings(special, ids, ends, added, config);
    }

    /** A token is written as its text, or as an object with {@code content}. */
    private static Optional<String> text(JsonNode node) {
        JsonNode text = node.isObject() ? node.path("content") : node;
        return text.isTextual() ? Optional.of(text.textValue()) : Optional.empty();
    }

    /** An id or a list of them; none if there is nothing, or -1. */
    private static List<Integer> ids(Part part) {
        if (part.isNull()) {
            return List.of();
        }
        List<Integer> ids = new ArrayList<>();
        for (Part each : part.node().isArray() ? part.elements() : List.of(part)) {
            JsonNode id = each.node();
            if (!id.isIntegralNumber() || !id.canConvertToInt() || id.intValue() < NO_TOKEN) {
                throw each.refusal();
            }
            if (id.intValue() != NO_TOKEN) {
                ids.add(id.intValue());
            }
        }
        return ids;
    }

    /** {@code add_prefix_space}, if it says anything. */
    Optional<Boolean> addPrefixSpace() {
        return flag("add_prefix_space");
    }

    /** A flag that may be missing or null. */
    Optional<Boolean> flag(String key) {
        JsonNode node = config.path(key);
        return node.isBoolean() ? Optional.of(node.booleanValue()) : Optional.empty();
    }

    /**
     * The token of a role.
     *
     * @param tokens ids by text
     * @throws TokenizerException if it begins or ends a text, and all that is said of it is an id that no token has
     */
    OptionalInt id(String role, Map<String, Integer> tokens, int size) {
        String text = special.get(role);
        Integer id = text == null ? null : tokens.get(text);
        if (id == null) {
            id = ids.get(role);
        }
        if (id != null && id >= size && text == null && (role.equals("bos") || role.equals("eos"))) {
            throw new TokenizerException("generation_config.json, config.json: %s_token_id: not in the vocabulary: id=%d, tokens=%d"
                    .formatted(role, id, size));
        }
        return id == null || id < 0 || id >= size ? OptionalInt.empty() : OptionalInt.of(id);
    }
}
