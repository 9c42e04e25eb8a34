package dev.tidestream.loadtest.wire.openai;

import com.fasterxml.jackson.databind.JsonNode;

import dev.tidestream.loadtest.figures.Promise;
import dev.tidestream.loadtest.wire.Link;
import dev.tidestream.protocol.FinishReason;

/**
 * Events of a response, as server-sent events or as messages of a WebSocket: {@code response.created} first, deltas, one
 * event that ends it, numbered from 0.
 */
final class ResponseReader extends AnswerReader {
    private static final String DONE = "[DONE]";

    private final boolean named; // server-sent events have a name
    private final StringBuilder text = new StringBuilder();
    private String responseId = "";
    private long next;
    private int lastSeq = -1; // of our servers
    private Told error = new Told("", "");
    private JsonNode response = Told.JSON.missingNode();
    private String end = "";
    private boolean ranOn;
    private long endNs;

    /** @param named whether events have names beside their data */
    ResponseReader(boolean named, String id, int maxTokens, Link.Listener listener, Runnable ownSeen) {
        super(id, maxTokens, listener, ownSeen);
        this.named = named;
    }

    /** Whether an event has come after which there is no other. */
    boolean terminal() {
        return !end.isEmpty();
    }

    @Override
    void event(String name, String data, long nowNs) {
        if (ended() || data.equals(DONE)) { // OpenAI sends none, Open Responses wants one
            return;
        }
        JsonNode event = object(data, nowNs);
        if (!event.isMissingNode()) {
            event(name, event, nowNs);
        }
    }

    /** The same of what is read already. */
    void event(String name, JsonNode event, long nowNs) {
        if (terminal()) {
            ranOn = true;
            return;
        }
        see(event.path("tidestream"));
        see(event.path("response").path("tidestream"));
        String type = event.path("type").asText("");
        if (type.isEmpty() && event.path("error").isObject()) { // as the other wires tell errors
            Told told = Told.of(event.path("error"), "error");
            fail(told.code(), told.message(), nowNs);
            return;
        }
        form(name, type, event);
        switch (type) {
            case "response.created" -> accept(nowNs);
            case "response.output_text.delta" -> delta(event, nowNs);
            case "response.reasoning_text.delta", "response.reasoning_summary_text.delta", "response.refusal.delta" ->
                    token(event.path("delta").asText(""), 0, nowNs);
            case "response.output_text.done" -> whole(event.path("text").asText(""));
            case "error" -> error = event.path("error").isObject() ? Told.of(event.path("error"), "error") : Told.of(event,
                    "error");
            case "response.completed", "response.incomplete", "response.failed" -> {
                end = type;
                endNs = nowNs;
                response = event.path("response");
            }
            default -> { } // others may come, now or in a later version
        }
    }

    private void form(String name, String type, JsonNode event) {
        if (!type.equals("error") || event.has("sequence_number")) {
            check(Promise.NUMBERED, event.path("sequence_number").asLong(-1) == next, () -> "sequence_number is not " + next
                    + ": "
                    + Told.head(event.toString()));
        }
        String id = event.path("response").path("id").asText("");
        boolean first = next++ == 0;
        if (first) {
            responseId = id;
        }
        check(Promise.FORM, (!named || name.equals(type)) && (!first || type.equals("response.created") || type.equals("error"))
                && (!event.has("response") || id.equals(responseId)),
                () -> "an event out of place: name=%s, id of the response=%s: %s".formatted(name, responseId,
                        Told.head(event.toString())));
    }

    private void delta(JsonNode event, long nowNs) {
        String piece = event.path("delta").asText("");
        text.append(piece);
        JsonNode own = event.path("tidestream");
        if (own.path("seq").canConvertToInt()) {
            int seq = own.path("seq").intValue(); // tokens without text have no event
            check(Promise.SEQUENCE, seq > lastSeq || piece.isEmpty(), () -> "a token repeated or out of order: seq=" + seq
                    + ", before=" + lastSeq);
            gap(seq, nowNs);
            lastSeq = Math.max(lastSeq, seq);
        }
        if (!piece.isEmpty()) {
            token(piece, own.path("token").asInt(0), nowNs);
        }
    }

    /** Tokens without text between two deltas. Whatever number a server says, there are no more than were asked for. */
    private void gap(int seq, long nowNs) {
        int without = seq - lastSeq - 1;
        boolean possible = without <= maxTokens() - tokens();
        check(Promise.MAX_TOKENS, possible, () -> "tokens that were not asked for: seq=%d, before=%d, limit=%d"
                .formatted(seq, lastSeq, maxTokens()));
        for (int i = 0; possible && i < without; i++) {
            token("", 0, nowNs);
        }
    }

    private void whole(String told) {
        check(Promise.WHOLE, told.contentEquals(text), () -> "the text is not that of the deltas: characters=%d, deltas=%d"
                .formatted(told.length(), text.length()));
    }

    @Override
    void bodyEnded(long nowNs) {
        if (ended()) {
            return;
        }
        if (!error.code().isEmpty() && !end.equals("response.completed") && !end.equals("response.incomplete")) {
            fail(error.code(), error.message(), nowNs);
            return;
        }
        check(Promise.TERMINAL, terminal() && !ranOn, () -> terminal() ? "events after " + end : "no end after " + tokens()
                + " tokens");
        switch (end) {
            case "response.completed", "response.incomplete" -> {
                FinishReason why = response.at("/incomplete_details/reason").asText("").equals("max_output_tokens")
                        ? FinishReason.LENGTH
                        : FinishReason.STOP;
                // not exactly: tokens without text behind the last delta, the one that ends the text say, are in usage alone
                finish(why, response.path("usage"), "input_tokens", "output_tokens", false, endNs);
            }
            case "response.failed" -> {
                Told told = Told.of(response.path("error"), "failed");
                fail(told.code(), told.message(), endNs);
            }
            default -> fail(NO_END, "the response ends without an event that says so: tokens=" + tokens(), nowNs);
        }
    }
}
