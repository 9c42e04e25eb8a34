package dev.tidestream.server.openai.wire;

import java.util.HashMap;
import java.util.Map;
import java.util.function.Predicate;

import com.fasterxml.jackson.databind.JsonNode;

/**
 * Fields that change what an answer is and that this server cannot honour, with the values that change nothing. Other servers have them;
 * passing over them would be answering another question. Fields that only concern how, where or for whom an answer is made
 * ({@code user}, {@code store}, {@code service_tier}, …) are not here: they are passed over.
 */
final class Unsupported {
    private static final Predicate<JsonNode> NEVER = node -> false;
    private static final Predicate<JsonNode> EMPTY = node -> node.isTextual() ? node.textValue().isEmpty() : node.isContainerNode() && node.isEmpty();
    private static final Predicate<JsonNode> FALSE = node -> node.isBoolean() && !node.booleanValue();
    private static final Predicate<JsonNode> TRUE = node -> node.isBoolean() && node.booleanValue();

    private static final Map<String, Predicate<JsonNode>> EVERYWHERE = Map.ofEntries(
            Map.entry("ignore_eos", FALSE),
            Map.entry("min_tokens", is(0)),
            Map.entry("stop_token_ids", EMPTY),
            Map.entry("structured_outputs", EMPTY),
            Map.entry("guided_json", EMPTY),
            Map.entry("guided_regex", EMPTY),
            Map.entry("guided_choice", EMPTY),
            Map.entry("guided_grammar", EMPTY),
            Map.entry("grammar", EMPTY),
            Map.entry("json_schema", EMPTY),
            Map.entry("regex", EMPTY),
            Map.entry("ebnf", EMPTY),
            Map.entry("use_beam_search", FALSE),
            Map.entry("length_penalty", is(1)),
            Map.entry("skip_special_tokens", TRUE),
            Map.entry("include_stop_str_in_output", FALSE),
            Map.entry("truncate_prompt_tokens", NEVER),
            Map.entry("prompt_logprobs", NEVER),
            Map.entry("lora", EMPTY),
            Map.entry("lora_path", EMPTY),
            Map.entry("logits_processors", EMPTY),
            Map.entry("mirostat", is(0)),
            Map.entry("typical_p", is(1)),
            Map.entry("tfs_z", is(1)),
            Map.entry("xtc_probability", is(0)),
            Map.entry("dry_multiplier", is(0)),
            Map.entry("dynatemp_range", is(0)),
            Map.entry("samplers", NEVER));

    private static final Map<String, Predicate<JsonNode>> OF_COMPLETIONS = Map.of(
            "suffix", EMPTY,
            "add_special_tokens", TRUE);

    private static final Map<String, Predicate<JsonNode>> OF_CHAT = Map.ofEntries(
            Map.entry("functions", EMPTY),
            Map.entry("function_call", node -> node.asText().equals("none") || node.asText().equals("auto")),
            Map.entry("add_special_tokens", FALSE),
            Map.entry("audio", NEVER),
            Map.entry("modalities", node -> node.size() == 1 && node.get(0).asText().equals("text")),
            Map.entry("web_search_options", NEVER),
            Map.entry("verbosity", node -> node.asText().equals("medium")),
            Map.entry("chat_template", NEVER),
            Map.entry("documents", EMPTY));

    private Unsupported() {}

    private static Predicate<JsonNode> is(int value) {
        return node -> node.isNumber() && node.doubleValue() == value;
    }

    static void refuseOfCompletions(RequestFields fields) throws BadRequestException {
        refuse(fields, OF_COMPLETIONS);
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
