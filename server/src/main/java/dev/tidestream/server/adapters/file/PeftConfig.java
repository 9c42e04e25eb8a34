package dev.tidestream.server.adapters.file;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;

import dev.tidestream.model.adapter.AdapterException;
import dev.tidestream.protocol.JsonInput;

/**
 * {@code adapter_config.json} of PEFT. A key that changes what is computed and is not known here is refused, as long as its value is
 * not that of a key that is not there (null, false, empty). Source: {@code LoraConfig} of PEFT 0.21.
 *
 * @param rank of modules that no pattern names
 * @param alpha of modules that no pattern names
 * @param ranks by pattern, in the order of the file
 * @param alphas by pattern, in the order of the file
 * @param rootOfRank whether the scale is alpha over the root of the rank
 * @param ensureWeightTying whether a change of one end of a tied model is one of both
 * @param targets which modules have a low-rank change
 * @param modulesToSave names of modules that are saved as whole
 * @param tokens ids of tokens whose rows are others, by the name of the module; {@code ""} for the embedding, whatever it is called
 * @param bytes of the file
 */
record PeftConfig(
        int rank, double alpha, Map<ModulePattern, Integer> ranks, Map<ModulePattern, Double> alphas, boolean rootOfRank,
        boolean ensureWeightTying, TargetRule targets, List<String> modulesToSave, Map<String, int[]> tokens, byte[] bytes) {
    static final String TOKENS = "trainable_token_indices";
    static final String SAVED = "modules_to_save";
    static final String ENSURE = "ensure_weight_tying";
    static final String TARGETS = "target_modules";

    private static final int MAX_BYTES = 4 << 20;
    private static final JsonInput JSON = new JsonInput(MAX_BYTES, 16, 100_000, 4096);

    /** Remarks, and what is of interest for training alone. */
    private static final Set<String> HARMLESS = Set.of("auto_mapping", "base_model_name_or_path", "revision", "inference_mode",
            "lora_dropout", "megatron_config", "megatron_core", "peft_version", "task_type", "loftq_config", "eva_config", "corda_config",
            "lora_ga_config", "runtime_config", "qalora_group_size", "fan_in_fan_out", "bias");

    /** Initialisations that take something off the base weights: the adapter is for those, and not for the base. */
    private static final List<String> CHANGE_THE_BASE = List.of("pissa", "olora", "corda", "loftq", "lora_ga");

    private static final Set<String> READ = Set.of("peft_type", "r", "lora_alpha", "rank_pattern", "alpha_pattern", "use_rslora",
            ENSURE, TARGETS, "exclude_modules", "layers_to_transform", "layers_pattern", SAVED, TOKENS, "init_lora_weights");

    /** @throws AdapterException if it is no configuration of an adapter that can be served; names key and value */
    static PeftConfig read(Path file) throws IOException {
        byte[] bytes = bytes(file);
        JsonNode json;
        try {
            json = JSON.tree(new String(bytes, StandardCharsets.UTF_8));
        } catch (JsonProcessingException e) {
            throw new AdapterException("%s: not JSON: %s".formatted(file.getFileName(), e.getOriginalMessage()), e);
        }
        if (!json.isObject()) {
            throw new AdapterException("%s: not a JSON object".formatted(file.getFileName()));
        }
        return of(json, bytes);
    }

    private static byte[] bytes(Path file) throws IOException {
        if (!Files.isRegularFile(file)) { // opening a pipe would wait for a writer
            throw new AdapterException("%s: no such file".formatted(file.getFileName()));
        }
        try (InputStream in = Files.newInputStream(file)) {
            byte[] bytes = in.readNBytes(MAX_BYTES + 1);
            if (bytes.length > MAX_BYTES) {
                throw new AdapterException("%s: too long: bytes>%d, limit=%d".formatted(file.getFileName(), MAX_BYTES, MAX_BYTES));
            }
            return bytes;
        }
    }

    private static PeftConfig of(JsonNode json, byte[] bytes) {
        if (!text(json, "peft_type").orElse("LORA").equals("LORA")) {
            throw refused(json, "peft_type", "is not supported (supported: LORA)");
        }
        for (Map.Entry<String, JsonNode> entry : json.properties()) {
            String key = entry.getKey();
            if (!HARMLESS.contains(key) && !READ.contains(key) && !nothing(entry.getValue())) {
                throw refused(json, key, "is not supported, and may change what the adapter computes");
            }
        }
        text(json, "init_lora_weights").ifPresent(how -> {
            if (CHANGE_THE_BASE.stream().anyMatch(how::startsWith)) {
                throw refused(json, "init_lora_weights", "is not supported: the adapter is for changed base weights;"
                        + " convert it with path_initial_model_for_weight_conversion");
            }
        });
        int rank = integer(json, "r").orElse(8);
        double alpha = number(json, "lora_alpha").orElse(8.0);
        if (rank < 1) {
            throw refused(json, "r", "must be at least 1");
        }
        return new PeftConfig(rank, alpha, patterns(json, "rank_pattern", value -> rank(json, value)),
                patterns(json, "alpha_pattern", value -> finite(json, "alpha_pattern", value)), bool(json, "use_rslora"),
                bool(json, ENSURE), TargetRule.of(json), names(json, SAVED), tokens(json), bytes);
    }

    private static boolean nothing(JsonNode value) {
        return value.isNull() || (value.isBoolean() && !value.booleanValue()) || (value.isContainerNode() && value.isEmpty());
    }

    private static int rank(JsonNode json, JsonNode value) {
        if (!value.isIntegralNumber() || !value.canConvertToInt() || value.intValue() < 1) {
            throw refused(json, "rank_pattern", "has a value that is no rank");
        }
        return value.intValue();
    }

    private static double finite(JsonNode json, String key, JsonNode value) {
        if (!value.isNumber() || !Double.isFinite(value.doubleValue())) {
            throw refused(json, key, "is no finite number, or has one");
        }
        return value.doubleValue();
    }

    private static <T> Map<ModulePattern, T> patterns(JsonNode json, String key, Function<JsonNode, T> value) {
        Map<ModulePattern, T> patterns = new LinkedHashMap<>();
        Optional<JsonNode> found = find(json, key);
        if (found.isPresent() && !found.get().isObject()) {
            throw refused(json, key, "is no object");
        }
        found.ifPresent(object -> object.properties().forEach(
                entry -> patterns.put(ModulePattern.end(key, entry.getKey()), value.apply(entry.getValue()))));
        return patterns;
    }

    private static Map<String, int[]> tokens(JsonNode json) {
        Map<String, int[]> tokens = new HashMap<>();
        find(json, TOKENS).ifPresent(value -> {
            if (value.isArray()) {
                tokens.put("", ids(json, value));
            } else if (value.isObject()) {
                value.properties().forEach(entry -> tokens.put(entry.getKey(), ids(json, entry.getValue())));
            } else {
                throw refused(json, TOKENS, "is neither an array nor an object");
            }
        });
        tokens.values().removeIf(ids -> ids.length == 0);
        return tokens;
    }

    private static int[] ids(JsonNode json, JsonNode array) {
        int[] ids = new int[array.size()];
        for (int i = 0; i < ids.length; i++) {
            JsonNode id = array.get(i);
            if (!id.isIntegralNumber() || !id.canConvertToInt() || id.intValue() < 0) {
                throw refused(json, TOKENS, "has what is no id of a token");
            }
            ids[i] = id.intValue();
        }
        return ids;
    }

    /** A name or some; none if the key is missing. */
    static List<String> names(JsonNode json, String key) {
        List<String> names = new ArrayList<>();
        find(json, key).ifPresent(value -> {
            if (value.isTextual()) {
                names.add(value.textValue());
            } else if (!value.isArray()) {
                throw refused(json, key, "is no array");
            }
            value.forEach(name -> {
                if (!name.isTextual()) {
                    throw refused(json, key, "has an element that is no text");
                }
                names.add(name.textValue());
            });
        });
        return names;
    }

    static Optional<JsonNode> find(JsonNode json, String key) {
        return Optional.ofNullable(json.get(key)).filter(value -> !value.isNull());
    }

    private static Optional<String> text(JsonNode json, String key) {
        return find(json, key).filter(JsonNode::isTextual).map(JsonNode::textValue);
    }

    private static Optional<Integer> integer(JsonNode json, String key) {
        return find(json, key).map(value -> {
            if (!value.isIntegralNumber() || !value.canConvertToInt()) {
                throw refused(json, key, "is no integer");
            }
            return value.intValue();
        });
    }

    private static Optional<Double> number(JsonNode json, String key) {
        return find(json, key).map(value -> finite(json, key, value));
    }

    private static boolean bool(JsonNode json, String key) {
        return find(json, key).map(value -> {
            if (!value.isBoolean()) {
                throw refused(json, key, "is neither true nor false");
            }
            return value.booleanValue();
        }).orElse(false);
    }

    /** The refusal of a value: {@code key=value why}. */
    static AdapterException refused(JsonNode json, String key, String why) {
        return new AdapterException("adapter_config.json: %s=%s %s".formatted(
                Names.quote(key), Names.quote(String.valueOf(json.get(key))), why));
    }

    /** The rank of a module. */
    int rankOf(String path) {
        return ranks.entrySet().stream().filter(entry -> entry.getKey().matches(path)).findFirst().map(Map.Entry::getValue).orElse(rank);
    }

    /** The scale of a module's change. */
    float scaleOf(String path) {
        double itsAlpha = alphas.entrySet().stream().filter(entry -> entry.getKey().matches(path)).findFirst()
                .map(Map.Entry::getValue).orElse(alpha);
        return (float) (itsAlpha / (rootOfRank ? Math.sqrt(rankOf(path)) : rankOf(path)));
    }

    /** Whether a module is saved as whole. */
    boolean saves(String path) {
        return modulesToSave.stream().anyMatch(name -> TargetRule.isOrEndsWith(path, name));
    }

    /** The tokens whose rows of a module are others; none if there are none. */
    Optional<int[]> tokensOf(String path, boolean embedding) {
        return tokens.entrySet().stream()
                .filter(entry -> entry.getKey().isEmpty() ? embedding : TargetRule.isOrEndsWith(path, entry.getKey()))
                .findFirst().map(Map.Entry::getValue);
    }
}
