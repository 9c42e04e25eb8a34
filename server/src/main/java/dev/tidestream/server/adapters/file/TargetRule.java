package dev.tidestream.server.adapters.file;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.StreamSupport;

import com.fasterxml.jackson.databind.JsonNode;

/**
 * Which modules of a model an adapter changes: {@code target_modules}, {@code exclude_modules}, {@code layers_to_transform},
 * {@code layers_pattern}. Source: {@code check_target_module_exists} of PEFT 0.21.
 */
final class TargetRule {
    private static final String ALL_LINEAR = "all-linear";
    private static final String EXCLUDED = "exclude_modules";
    private static final String LAYERS = "layers_to_transform";
    private static final Pattern ANY_LAYER = Pattern.compile(".*\\.[^.]*\\.(\\d+)\\..*");

    private final List<String> names;
    private final Optional<ModulePattern> pattern;
    private final boolean allLinear;
    private final List<String> excludedNames;
    private final Optional<ModulePattern> excludedPattern;
    private final List<Integer> layers; // empty: all
    private final List<Pattern> layerPatterns;

    private TargetRule(JsonNode json) {
        Optional<String> text = text(json, PeftConfig.TARGETS);
        allLinear = text.filter(ALL_LINEAR::equals).isPresent();
        pattern = text.filter(value -> !allLinear).map(value -> ModulePattern.whole(PeftConfig.TARGETS, value));
        names = text.isPresent() ? List.of() : PeftConfig.names(json, PeftConfig.TARGETS);
        Optional<String> excluded = text(json, EXCLUDED);
        excludedPattern = excluded.map(value -> ModulePattern.whole(EXCLUDED, value));
        excludedNames = excluded.isPresent() ? List.of() : PeftConfig.names(json, EXCLUDED);
        layers = PeftConfig.find(json, LAYERS).map(value -> layers(json, value)).orElse(List.of());
        layerPatterns = PeftConfig.names(json, "layers_pattern").stream().filter(name -> !name.isEmpty())
                .map(name -> Pattern.compile(".*\\." + Pattern.quote(name) + "\\.(\\d+)\\..*")).toList();
    }

    static TargetRule of(JsonNode json) {
        return new TargetRule(json);
    }

    private static Optional<String> text(JsonNode json, String key) {
        return PeftConfig.find(json, key).filter(JsonNode::isTextual).map(JsonNode::textValue);
    }

    private static List<Integer> layers(JsonNode json, JsonNode value) {
        List<JsonNode> values = value.isArray() ? StreamSupport.stream(value.spliterator(), false).toList() : List.of(value);
        List<Integer> layers = new ArrayList<>();
        for (JsonNode layer : values) {
            if (!layer.isIntegralNumber() || !layer.canConvertToInt()) {
                throw PeftConfig.refused(json, LAYERS, "has what is no number of a layer");
            }
            layers.add(layer.intValue());
        }
        return layers;
    }

    static boolean isOrEndsWith(String path, String name) {
        return path.equals(name) || path.endsWith("." + name);
    }

    /**
     * Whether a module is changed.
     *
     * @param path of the module in the model
     * @param end whether it is the embedding or the output head, which are not among "all linear"
     */
    boolean targets(String path, boolean end) {
        if (excludedPattern.filter(excluded -> excluded.matches(path)).isPresent()
                || excludedNames.stream().anyMatch(name -> isOrEndsWith(path, name))) {
            return false;
        }
        boolean named = allLinear ? !end
                : pattern.map(of -> of.matches(path)).orElseGet(() -> names.stream().anyMatch(name -> isOrEndsWith(path, name)));
        return named && (layers.isEmpty() || layerOf(path).filter(layers::contains).isPresent());
    }

    private Optional<Integer> layerOf(String path) {
        List<Pattern> patterns = layerPatterns.isEmpty() ? List.of(ANY_LAYER) : layerPatterns;
        for (Pattern layer : patterns) {
            Matcher matcher = layer.matcher(path);
            if (matcher.matches() && matcher.group(1).length() < 9) {
                return Optional.of(Integer.valueOf(matcher.group(1)));
            }
        }
        return Optional.empty();
    }
}
