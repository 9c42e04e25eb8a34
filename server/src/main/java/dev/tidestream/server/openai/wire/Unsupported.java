package dev.tidestream.server.openai.wire;

import java.util.HashMap;
import java.util.Map;
import java.util.function.Predicate;

import com.fasterxml.jackson.databind.JsonNode;

/**
 * Fields that change what an answer is and that this server cannot honour, with the values that change nothing. Other servers have them;
 * passing over them would be answering another question. Fields that only concern how, where or for whom an answer is made
 * ({@code user}, {@code store}, …) are not here: they are passed over.
 */
final class Unsupported {
    private static final Map<String, Predicate<JsonNode>> EVERYWHERE = Map.ofEntries(
            Map.entry("ignore_eos", Unsupported::isFalse),
            Map.entry("min_tokens", is(0)),
            Map.entry("stop_token_ids", Unsupported::isEmpty),
            Map.entry("structured_outputs", Unsupported::isEmpty),
            Map.entry("guided_json", Unsupported::isEmpty),
            Map.entry("guided_regex", Unsupported::isEmpty),
            Map.entry("guided_choice", Unsupported::isEmpty),
            Map.entry("guided_grammar", Unsupported::isEmpty),
            Map.entry("grammar", Unsupported::isEmpty),
            Map.entry("json_schema", Unsupported::isEmpty),
            Map.entry("regex", Unsupported::isEmpty),
            Map.entry("ebnf", Unsupported::isEmpty),
            Map.entry("use_beam_search", Unsupported::isFalse),
            Map.entry("length_penalty", is(1)),
            Map.entry("skip_special_tokens", Unsupported::isTrue),
            Map.entry("include_stop_str_in_output", Unsupported::isFalse),
            Map.entry("truncate_prompt_tokens", Unsupported::never),
            Map.entry("prompt_logprobs", Unsupported::never),
            Map.entry("lora", Unsupported::isEmpty),
            Map.entry("lora_path", Unsupported::isEmpty),
            Map.entry("logits_processors", Unsupported::isEmpty),
            Map.entry("mirostat", is(0)),
            Map.entry("typical_p", is(1)),
            Map.entry("tfs_z", is(1)),
            Map.entry("xtc_probability", is(0)),
            Map.entry("dry_multiplier", is(0)),
            Map.entry("dynatemp_range", is(0)),
            Map.entry("samplers", Unsupported::never));

    private static final Map<String, Predicate<JsonNode>> OF_COMPLETIONS = Map.of(
            "suffix", Unsupported::isEmpty,
            "add_special_tokens", Unsupported::isTrue);

    private static final Map<String, Predicate<JsonNode>> OF_CHAT = Map.ofEntries(
            Map.entry("functions", Unsupported::isEmpty),
            Map.entry("function_call", node -> node.asText().equals("none") || node.asText().equals("auto")),
            Map.entry("add_special_tokens", Unsupported::isFalse),
            Map.entry("audio", Unsupported::never),
            Map.entry("modalities", node -> node.size() == 1 && node.get(0).asText().equals("text")),
            Map.entry("web_search_options", Unsupported::never),
            Map.entry("verbosity", node -> node.asText().equals("medium")),
            Map.entry("chat_template", Unsupported::never),
            Map.entry("echo", Unsupported::isFalse),
            Map.entry("best_of", is(1)),
            Map.entry("tool_choice", Unsupported::freeChoice));

    private static final Map<String, Predicate<JsonNode>> OF_RESPONSES = Map.ofEntries(
            Map.entry("background", Unsupported::isFalse),
            Map.entry("conversation", Unsupported::never),
            Map.entry("prompt", Unsupported::never),
            Map.entry("n", is(1)),
            Map.entry("truncation", node -> node.asText().equals("disabled")),
            Map.entry("context_management", Unsupported::isEmpty),
            Map.entry("tool_choice", Unsupported::freeChoice));

    private Unsupported() {}

    private static boolean never(JsonNode node) {
        return false;
    }

    private static boolean isEmpty(JsonNode node) {
        return node.isTextual() ? node.textValue().isEmpty() : node.isContainerNode() && node.isEmpty();
    }

    private static boolean isFalse(JsonNode node) {
        return node.isBoolean() && !node.booleanValue();
    }

    private static boolean isTrue(JsonNode node) {
        return node.isBoolean() && node.booleanValue();
    }

    private static Predicate<JsonNode> is(int value) {
        return node -> node.isNumber() && node.doubleValue() == value;
    }

    static void refuseOfCompletions(RequestFields fields) throws BadRequestException {
        refuse(fields, OF_COMPLETIONS);
    }

    /** Whether the model may call a tool and need not. */
    private static boolean freeChoice(JsonNode node) {
        return node.isTextual() && (node.textValue().equals("none") || node.textValue().equals("auto"));
    }

    static void refuseOfResponses(RequestFields fields) throws BadRequestException {
        refuse(fields, OF_RESPONSES);
        JsonNode format = fields.object("text").object("format").get("type");
        if (format != null && !format.asText().equals("text")) {
            throw RequestFields.unsupported("text.format.type", format);
        }
    }

    static void refuseOfChat(RequestFields fields) throws BadRequestException {
        refuse(fields, OF_CHAT);
    }

    private static void refuse(RequestFields fields, Map<String, Predicate<JsonNode>> more) throws BadRequestException {
        Map<String, Predicate<JsonNode>> all = new HashMap<>(EVERYWHERE);
        all.putAll(more);
        for (String name : fields.names()) {
            Predicate<JsonNode> harmless = all.get(name);
            JsonNode value = fields.required(name);
            if (harmless != null && !harmless.test(value)) {
                throw RequestFields.unsupported(fields.path(name), value);
            }
        }
        JsonNode format = fields.object("response_format").get("type");
        if (format != null && !format.asText().equals("text")) {
            throw RequestFields.unsupported("response_format.type", format);
        }
    }
}
