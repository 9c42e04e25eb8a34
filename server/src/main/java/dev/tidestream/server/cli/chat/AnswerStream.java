package dev.tidestream.server.cli.chat;

import java.io.IOException;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.function.Consumer;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;

import dev.tidestream.console.Printable;

/** Puts the chunks of a chat completion together. One thread. */
final class AnswerStream {
    private static final String DONE = "[DONE]";
    private static final int MAX_SHOWN_CHARS = 500;

    private final Consumer<String> sink;
    private final StringBuilder text = new StringBuilder();
    private Optional<String> reason = Optional.empty();
    private OptionalLong seed = OptionalLong.empty();
    private OptionalLong weightsVersion = OptionalLong.empty();
    private OptionalInt promptTokens = OptionalInt.empty();
    private OptionalInt completionTokens = OptionalInt.empty();
    private boolean done;

    /** @param sink gets the text as it comes */
    AnswerStream(Consumer<String> sink) {
        this.sink = sink;
    }

    /**
     * Reads to the end.
     *
     * @throws IOException if the stream breaks off, or has something in it that is no chunk
     * @throws ChatFailedException if the server says that it failed
     */
    void read(EventLines events) throws IOException {
        for (Optional<String> event = events.next(); event.isPresent(); event = events.next()) {
            if (event.get().equals(DONE)) {
                done = true;
                return;
            }
            add(event.get());
        }
        if (reason.isEmpty()) {
            throw new IOException("the answer broke off");
        }
    }

    private void add(String event) throws IOException {
        JsonNode chunk;
        try {
            chunk = ServerBackend.JSON.tree(event);
        } catch (JsonProcessingException e) {
            throw new IOException("the server sent what is not JSON: " + e.getOriginalMessage(), e);
        }
        if (chunk.hasNonNull("error")) {
            JsonNode error = chunk.get("error");
            String message = Printable.value(error.path("message").asText(error.toString()), MAX_SHOWN_CHARS);
            throw ServerBackend.refusal("the server failed: " + message, error.path("code").asText(""));
        }
        JsonNode choice = chunk.path("choices").path(0);
        String part = choice.path("delta").path("content").asText("");
        if (!part.isEmpty()) {
            text.append(part);
            sink.accept(part);
        }
        if (choice.path("finish_reason").isTextual()) {
            reason = Optional.of(choice.path("finish_reason").textValue());
        }
        JsonNode own = chunk.path("tidestream");
        JsonNode version = own.path("weights_version");
        weightsVersion = version.isIntegralNumber() ? OptionalLong.of(version.longValue()) : weightsVersion;
        seed = own.hasNonNull("seed") ? number(own.get("seed")) : seed;
        JsonNode usage = chunk.path("usage");
        promptTokens = count(usage.path("prompt_tokens"), promptTokens);
        completionTokens = count(usage.path("completion_tokens"), completionTokens);
    }

    private static OptionalInt count(JsonNode value, OptionalInt otherwise) {
        return value.isInt() ? OptionalInt.of(value.intValue()) : otherwise;
    }

    /** Seeds may be text: JavaScript cannot hold all numbers. */
    private static OptionalLong number(JsonNode value) {
        try {
            return OptionalLong.of(Long.parseLong(value.asText()));
        } catch (NumberFormatException _) {
            return OptionalLong.empty();
        }
    }

    /** @param stopped whether the user ended it */
    Answer answer(boolean stopped) {
        Answer.End end = stopped && !done ? Answer.End.CANCELLED
                : reason.equals(Optional.of("length")) ? Answer.End.LENGTH : Answer.End.STOP;
        return new Answer(text.toString(), end, seed, weightsVersion, promptTokens, completionTokens);
    }
}
