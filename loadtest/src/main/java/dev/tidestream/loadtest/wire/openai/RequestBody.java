package dev.tidestream.loadtest.wire.openai;

import java.util.List;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

import dev.tidestream.loadtest.plan.Prompt;
import dev.tidestream.loadtest.wire.StreamRequest;

/** Requests as JSON. Fields that OpenAI does not have go to servers that are known to have them. */
final class RequestBody {
    private static final int NEVER = -100;

    private RequestBody() {}

    /**
     * The body of a request.
     *
     * @param own whether the server is a Tidestream
     */
    static ObjectNode of(Api api, String model, StreamRequest request, boolean own) {
        ObjectNode body = Told.JSON.createObjectNode().put("model", model);
        Prompt prompt = request.prompt();
        switch (api) {
            case CHAT -> messages(body.putArray("messages"), prompt);
            case COMPLETIONS -> completion(body, prompt);
            case RESPONSES, RESPONSES_WS -> messages(body.putArray("input"), prompt);
        }
        body.put("temperature", request.sampling().temperature());
        switch (api) {
            case CHAT, COMPLETIONS -> {
                body.put(api == Api.CHAT ? "max_completion_tokens" : "max_tokens", prompt.maxTokens());
                body.put("stream", true);
                body.putObject("stream_options").put("include_usage", true);
                sampling(body, request.sampling());
                if (own) {
                    body.put("return_token_ids", true);
                }
            }
            case RESPONSES, RESPONSES_WS -> {
                body.put("max_output_tokens", prompt.maxTokens()).put("store", false);
                if (api == Api.RESPONSES) {
                    body.put("stream", true);
                }
                if (own) { // OpenAI's have neither
                    sampling(body, request.sampling());
                }
            }
        }
        return body;
    }

    private static void sampling(ObjectNode body, StreamRequest.Sampling sampling) {
        body.put("seed", sampling.seed());
        if (sampling.suppressed() >= 0) {
            body.putObject("logit_bias").put(Integer.toString(sampling.suppressed()), NEVER);
        }
    }

    private static void completion(ObjectNode body, Prompt prompt) {
        int[] tokens = prompt.tokens();
        if (tokens == null) {
            body.put("prompt", prompt.text());
            return;
        }
        ArrayNode array = body.putArray("prompt");
        for (int token : tokens) {
            array.add(token);
        }
    }

    /** What user and model have said in turn; the last word is the user's. */
    private static void messages(ArrayNode messages, Prompt prompt) {
        List<String> said = prompt.said();
        if (said.isEmpty()) {
            throw new IllegalArgumentException("a conversation is text, and this prompt is token ids: tokens="
                    + (prompt.tokens() == null ? 0 : prompt.tokens().length));
        }
        for (int i = 0; i < said.size(); i++) {
            messages.addObject().put("role", i % 2 == 0 ? "user" : "assistant").put("content", said.get(i));
        }
    }
}
