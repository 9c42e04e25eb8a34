package dev.tidestream.loadtest.wire.openai;

import com.fasterxml.jackson.databind.JsonNode;

import dev.tidestream.loadtest.figures.Promise;
import dev.tidestream.loadtest.wire.Link;
import dev.tidestream.protocol.FinishReason;

/**
 * Chunks of a chat completion or of a completion with one choice: chunks with text, one with the reason why it ended, one
 * with {@code usage}, {@code [DONE]}.
 */
final class ChoiceReader extends AnswerReader {
    private static final String DONE = "[DONE]";

    private final boolean chat;
    private JsonNode first = Told.JSON.missingNode();
    private JsonNode usage = Told.JSON.missingNode();
    private String reason = "";
    private boolean exactly; // the server names each token
    private boolean done;
    private boolean second; // another reason came
    private boolean ranOn; // something came after the end
    private long endNs;

    /** @param chat whether chunks are those of chat completions */
    ChoiceReader(boolean chat, String id, int maxTokens, Link.Listener listener, Runnable ownSeen) {
        super(id, maxTokens, listener, ownSeen);
        this.chat = chat;
    }

    @Override
    void event(String name, String data, long nowNs) {
        if (ended()) {
            return;
        }
        if (done) {
            ranOn = true;
            return;
        }
        endNs = nowNs;
        if (data.equals(DONE)) {
            done = true;
            return;
        }
        JsonNode chunk = object(data, nowNs);
        if (chunk.isMissingNode()) {
            return;
        }
        if (chunk.path("error").isObject()) {
            Told told = Told.of(chunk.path("error"), "error");
            fail(told.code(), told.message(), nowNs);
            return;
        }
        form(chunk);
        if (chunk.path("usage").isObject()) {
            usage = chunk.path("usage");
        }
        JsonNode choice = chunk.path("choices").path(0);
        if (choice.isObject()) {
            accept(nowNs);
            choice(choice, chunk.path("tidestream").path("token").asInt(0), nowNs);
        }
    }

    private void form(JsonNode chunk) {
        boolean isFirst = first.isMissingNode();
        if (isFirst) {
            first = chunk;
        }
        String object = chat ? "chat.completion.chunk" : "text_completion";
        boolean role = !chat || !isFirst || chunk.at("/choices/0/delta/role").asText("").equals("assistant");
        check(Promise.FORM, chunk.path("object").asText("").equals(object) && chunk.path("choices").isArray()
                && chunk.path("id").isTextual() && same(chunk, "id") && same(chunk, "created") && same(chunk, "model") && role,
                () -> (role ? "a chunk unlike the first" : "a first chunk without a role") + ": " + Told.head(chunk.toString())
                        + "; the first: " + Told.head(first.toString()));
    }

    private boolean same(JsonNode chunk, String field) {
        return chunk.path(field).equals(first.path(field));
    }

    private void choice(JsonNode choice, int token, long nowNs) {
        String finish = choice.path("finish_reason").asText("");
        boolean last = !finish.isEmpty() && !choice.path("finish_reason").isNull();
        String text = chat ? said(choice.path("delta")) : choice.path("text").asText("");
        JsonNode ids = choice.path("token_ids");
        if (ids.isArray() && !ids.isEmpty()) {
            exactly = true;
            for (int i = 0; i < ids.size(); i++) {
                token(i + 1 < ids.size() ? "" : text, ids.get(i).asInt(0), nowNs);
            }
        } else if (!text.isEmpty() || (!chat && !last && choice.has("text"))) { // llama.cpp: half a character has a chunk
            token(text, token, nowNs);
        }
        if (last) {
            second = !reason.isEmpty();
            reason = finish;
        }
    }

    /** What models think before they answer counts: somebody waits for it. */
    private static String said(JsonNode delta) {
        return text(delta.path("reasoning_content")) + text(delta.path("reasoning")) + text(delta.path("content"));
    }

    private static String text(JsonNode piece) {
        return piece.isTextual() ? piece.textValue() : "";
    }

    @Override
    void bodyEnded(long nowNs) {
        if (ended()) {
            return;
        }
        boolean whole = !reason.isEmpty();
        check(Promise.TERMINAL, whole && !ranOn && !second, () -> second ? "a second finish_reason: " + reason : whole
                ? "events after [DONE]"
                : "no finish_reason after " + tokens() + " tokens");
        check(Promise.DONE, done, () -> "no [DONE] after " + tokens() + " tokens: finish_reason=" + reason);
        if (whole) {
            FinishReason why = reason.equals("length") ? FinishReason.LENGTH : FinishReason.STOP;
            finish(why, usage, "prompt_tokens", "completion_tokens", exactly, endNs);
        } else {
            fail(NO_END, "the answer ends without a finish_reason: tokens=" + tokens(), nowNs);
        }
    }
}
