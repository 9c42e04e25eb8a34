package dev.tidestream.server.receipts.verify;

import java.time.LocalDateTime;
import java.util.Set;

import com.fasterxml.jackson.databind.JsonNode;
import org.jspecify.annotations.Nullable;

import dev.tidestream.server.chat.Conversation;
import dev.tidestream.server.openai.Backend;
import dev.tidestream.server.openai.ChatPlanner;
import dev.tidestream.server.openai.wire.BadRequestException;
import dev.tidestream.server.openai.wire.ChatReader;
import dev.tidestream.server.openai.wire.RequestFields;
import dev.tidestream.server.openai.wire.RequestReader;
import dev.tidestream.server.transport.http.JsonAnswer;

/**
 * The body of a {@code POST /v1/verify}.
 *
 * @param receipt as the client has it
 * @param prompt what the stream began with; null if it is not given
 * @param outputTokens what the client has got; null if that is not given in tokens
 * @param outputText the same as text; null if it is not given as text
 */
@SuppressWarnings("ArrayRecordComponent") // short-lived, and never compared
record VerifyRequest(String receipt, @Nullable Prompt prompt, int @Nullable [] outputTokens, @Nullable String outputText) {
    private static final Set<String> FIELDS = Set.of("receipt", "prompt", "tokens", "messages", "output", "documents", "tools",
            "tool_choice", "continue_final_message", "add_generation_prompt", "chat_template_kwargs", "reasoning_effort");

    /** How its tokens are had. */
    interface Prompt {
        /**
         * The tokens {@code (n)}.
         *
         * @param parseSpecial whether names of control tokens in a text are those tokens
         * @param renderedAt what a template is told of the time; null: that of now
         */
        int[] tokens(boolean parseSpecial, @Nullable LocalDateTime renderedAt) throws BadRequestException;
    }

    /** Reads one; on a worker. Fields that are not known are refused: one that is passed over would make two things look equal. */
    static VerifyRequest read(RequestReader reader, String body, Backend backend) throws BadRequestException {
        RequestFields fields = reader.read(body);
        for (String name : fields.names()) {
            if (!FIELDS.contains(name)) {
                throw BadRequestException.of("unknown_field", JsonAnswer.shown(name), "unknown field: " + JsonAnswer.shown(name));
            }
        }
        fields.required("receipt");
        String receipt = String.valueOf(fields.text("receipt"));
        JsonNode output = fields.get("output");
        int[] outputTokens = output == null || output.isTextual() ? null
                : output.isEmpty() && output.isArray() ? new int[0] : RequestReader.tokens("output", output);
        return new VerifyRequest(receipt, prompt(fields, backend), outputTokens, output == null ? null : output.textValue());
    }

    private static @Nullable Prompt prompt(RequestFields fields, Backend backend) throws BadRequestException {
        int given = (fields.has("prompt") ? 1 : 0) + (fields.has("tokens") ? 1 : 0) + (fields.has("messages") ? 1 : 0);
        if (given > 1) {
            throw BadRequestException.of("invalid_value", "prompt", "prompt, tokens and messages: give one of them, not more");
        }
        if (fields.has("messages")) {
            ChatPlanner chat = new ChatPlanner(backend);
            Conversation conversation = ChatReader.conversation(fields);
            return (special, at) -> chat.encode(chat.render(conversation, at, "messages"), "messages");
        }
        JsonNode prompt = fields.get(fields.has("tokens") ? "tokens" : "prompt");
        if (prompt == null) {
            return null;
        }
        if (prompt.isTextual() && !fields.has("tokens")) {
            return (special, at) -> backend.tokenizer().encodePrompt(prompt.textValue(), special);
        }
        int[] tokens = RequestReader.tokens(fields.has("tokens") ? "tokens" : "prompt", prompt);
        return (special, at) -> tokens;
    }
}
