package dev.tidestream.server.chat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

import com.fasterxml.jackson.databind.JsonNode;

import dev.tidestream.server.chat.jinja.value.Sequence;
import dev.tidestream.server.chat.jinja.value.Text;
import dev.tidestream.server.chat.jinja.value.Value;

/**
 * Tokens that templates know by name: {@code bos_token}, {@code eos_token} and their kin.
 *
 * @param texts the text of each, by the name of the variable
 * @param additional {@code additional_special_tokens}; none if the model names none
 */
public record SpecialTokens(Map<String, String> texts, List<String> additional) {
    private static final String BOS = "bos_token";
    private static final List<String> NAMES =
            List.of(BOS, "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token");

    public SpecialTokens {
        texts = Map.copyOf(texts);
        additional = List.copyOf(additional);
    }

    /** Begin and end of a sequence; what a model does not have is undefined in the template. */
    public static SpecialTokens of(Optional<String> bos, Optional<String> eos) {
        Map<String, String> texts = new LinkedHashMap<>();
        bos.ifPresent(text -> texts.put(BOS, text));
        eos.ifPresent(text -> texts.put("eos_token", text));
        return new SpecialTokens(texts, List.of());
    }

    /**
     * Those that {@code tokenizer_config.json} of a folder names, as text or as object with {@code content}; none without that file.
     *
     * @throws IOException if it cannot be read or is not a JSON object
     */
    public static SpecialTokens ofFolder(Path folder) throws IOException {
        Path file = folder.resolve(ChatTemplates.TOKENIZER_CONFIG);
        if (!Files.exists(file)) {
            return new SpecialTokens(Map.of(), List.of());
        }
        JsonNode config = ChatTemplates.json(file);
        Map<String, String> texts = new LinkedHashMap<>();
        for (String name : NAMES) {
            text(config.path(name)).ifPresent(text -> texts.put(name, text));
        }
        List<String> additional = new ArrayList<>();
        config.path("additional_special_tokens").forEach(token -> text(token).ifPresent(additional::add));
        return new SpecialTokens(texts, additional);
    }

    private static Optional<String> text(JsonNode token) {
        JsonNode text = token.isObject() ? token.path("content") : token;
        return text.isTextual() ? Optional.of(text.textValue()) : Optional.empty();
    }

    Optional<String> bos() {
        return Optional.ofNullable(texts.get(BOS));
    }

    /** As variables of a template: text of its own. */
    Map<String, Value> variables() {
        Map<String, Value> variables = new LinkedHashMap<>();
        texts.forEach((name, text) -> variables.put(name, Text.of(text)));
        if (!additional.isEmpty()) {
            variables.put("additional_special_tokens", Sequence.list(additional.stream().map(Text::of).toList()));
        }
        return variables;
    }
}
