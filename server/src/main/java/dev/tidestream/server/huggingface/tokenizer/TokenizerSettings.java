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

/**
 * What stands beside a vocabulary: tokenizer_config.json, special_tokens_map.json, generation_config.json and config.json. Of a token that
 * several name the first counts; of tokens that end generation all do. Ids that are not in the vocabulary are left out, since configurations
 * of larger models name tokens that text has none of.
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
            for (JsonNode node : List.of(generation, model, model.path("text_config"))) {
                for (int id : ids(node.path(role + "_token_id"))) {
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

    private static List<Integer> ids(JsonNode node) {
        if (node.isArray()) {
            List<Integer> ids = new ArrayList<>();
            node.forEach(each -> ids.addAll(ids(each)));
            return ids;
        }
        return node.isIntegralNumber() && node.canConvertToInt() ? List.of(node.intValue()) : List.of();
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
     */
    OptionalInt id(String role, Map<String, Integer> tokens, int size) {
        String text = special.get(role);
        Integer id = text == null ? null : tokens.get(text);
        if (id == null) {
            id = ids.get(role);
        }
        return id == null || id < 0 || id >= size ? OptionalInt.empty() : OptionalInt.of(id);
    }
}
