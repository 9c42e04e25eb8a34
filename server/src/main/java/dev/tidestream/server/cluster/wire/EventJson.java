package dev.tidestream.server.cluster.wire;

import java.io.IOException;
import java.time.LocalDateTime;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.JsonNode;
import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.AdapterRef;
import dev.tidestream.protocol.FinishReason;
import dev.tidestream.protocol.Timing;
import dev.tidestream.protocol.TopLogprob;
import dev.tidestream.protocol.Usage;
import dev.tidestream.server.engine.TokenEvent;

/**
 * A {@link TokenEvent} as the rest of a JSON array, behind the number of its stream. Log-probabilities are the bits of their floats, so
 * that what is read is what was written, infinities included.
 *
 * <pre>
 * "a", stream, seed, weights_version, head_mode, prompt_tokens, prompt_sha256|null, rendered_at|null, adapter|null, adapter_sha256|null
 * "p", prefilled, of
 * "s", [token, bits, top…], …                      top: token, bits, token, bits, …
 * "t", seq, token, text, weights_version [, bits|null, [top…], finish|null]
 * "e", finish
 * finish: [reason, prompt_tokens, completion_tokens, cached_tokens, queue_ms, first_token_ms, total_ms, tokens_per_s, evidence|null]
 * </pre>
 */
final class EventJson {
    private static final String ACCEPTED = "a";
    private static final String PROGRESS = "p";
    private static final String SCORED = "s";
    private static final String TOKEN = "t";
    private static final String STOPPED = "e";
    private static final int KIND = 1; // behind the stream

    private EventJson() {}

    static void write(JsonGenerator g, TokenEvent event) throws IOException {
        switch (event) {
            case TokenEvent.Accepted a -> accepted(g, a);
            case TokenEvent.Progress p -> {
                g.writeString(PROGRESS);
                g.writeNumber(p.prefilled());
                g.writeNumber(p.of());
            }
            case TokenEvent.Scored s -> {
                g.writeString(SCORED);
                for (TokenEvent.Score score : s.scores()) {
                    g.writeStartArray();
                    g.writeNumber(score.token());
                    g.writeNumber(Float.floatToRawIntBits(score.logprob()));
                    top(g, score.topLogprobs());
                    g.writeEndArray();
                }
            }
            case TokenEvent.Token t -> token(g, t);
            case TokenEvent.Stopped s -> {
                g.writeString(STOPPED);
                finish(g, s.finish());
            }
        }
    }

    private static void accepted(JsonGenerator g, TokenEvent.Accepted a) throws IOException {
        g.writeString(ACCEPTED);
        g.writeNumber(a.stream());
        g.writeNumber(a.seed());
        g.writeNumber(a.weightsVersion());
        g.writeString(a.headMode());
        g.writeNumber(a.promptTokens());
        g.writeString(a.promptSha256());
        g.writeString(a.renderedAt() == null ? null : a.renderedAt().toString());
        g.writeString(a.adapter() == null ? null : a.adapter().name());
        g.writeString(a.adapter() == null ? null : a.adapter().sha256());
    }

    private static void token(JsonGenerator g, TokenEvent.Token t) throws IOException {
        g.writeString(TOKEN);
        g.writeNumber(t.seq());
        g.writeNumber(t.token());
        g.writeString(t.text());
        g.writeNumber(t.weightsVersion());
        if (t.logprob() == null && t.topLogprobs().isEmpty() && t.finish() == null) {
            return;
        }
        if (t.logprob() == null) {
            g.writeNull();
        } else {
            g.writeNumber(Float.floatToRawIntBits(t.logprob()));
        }
        g.writeStartArray();
        top(g, t.topLogprobs());
        g.writeEndArray();
        if (t.finish() == null) {
            g.writeNull();
        } else {
            finish(g, t.finish());
        }
    }

    private static void top(JsonGenerator g, List<TopLogprob> top) throws IOException {
        for (TopLogprob choice : top) {
            g.writeNumber(choice.token());
            g.writeNumber(Float.floatToRawIntBits(choice.logprob()));
        }
    }

    private static void finish(JsonGenerator g, TokenEvent.Finish f) throws IOException {
        g.writeStartArray();
        g.writeString(f.reason().name());
        g.writeNumber(f.usage().promptTokens());
        g.writeNumber(f.usage().completionTokens());
        g.writeNumber(f.usage().cachedTokens());
        g.writeNumber(f.timing().queueMs());
        g.writeNumber(f.timing().firstTokenMs());
        g.writeNumber(f.timing().totalMs());
        g.writeNumber(f.timing().tokensPerS());
        if (f.evidence() == null) {
            g.writeNull();
        } else {
            EvidenceJson.write(g, f.evidence());
        }
        g.writeEndArray();
    }

    /**
     * The event of a frame.
     *
     * @param frame the whole array, the stream included
     */
    static TokenEvent read(JsonNode frame) throws WireException {
        try {
            return switch (frame.path(KIND).asText()) {
                case ACCEPTED -> accepted(frame);
                case PROGRESS -> new TokenEvent.Progress(frame.path(2).intValue(), frame.path(3).intValue());
                case SCORED -> scored(frame);
                case TOKEN -> new TokenEvent.Token(frame.path(2).intValue(), frame.path(3).intValue(), frame.path(4).asText(), frame.path(5).longValue(),
                        frame.path(6).isInt() ? Float.intBitsToFloat(frame.path(6).intValue()) : null, top(frame.path(7), 0), finish(frame.path(8)));
                case STOPPED -> new TokenEvent.Stopped(requireFinish(frame.path(2)));
                default -> throw new WireException("no event of this kind is known: " + frame.path(KIND));
            };
        } catch (IllegalArgumentException | DateTimeParseException e) {
            throw new WireException("an event that cannot be one: " + e.getMessage(), e);
        }
    }

    private static TokenEvent accepted(JsonNode f) {
        String at = f.path(8).textValue();
        String adapter = f.path(9).textValue();
        return new TokenEvent.Accepted(f.path(2).longValue(), f.path(3).longValue(), f.path(4).longValue(), f.path(5).asText(),
                f.path(6).intValue(), f.path(7).textValue(), at == null ? null : LocalDateTime.parse(at),
                adapter == null ? null : new AdapterRef(adapter, f.path(10).asText()));
    }

    private static TokenEvent scored(JsonNode frame) {
        List<TokenEvent.Score> scores = new ArrayList<>();
        for (int i = 2; i < frame.size(); i++) {
            JsonNode score = frame.path(i);
            scores.add(new TokenEvent.Score(score.path(0).intValue(), Float.intBitsToFloat(score.path(1).intValue()), top(score, 2)));
        }
        return new TokenEvent.Scored(scores);
    }

    private static List<TopLogprob> top(JsonNode array, int from) {
        if (array.size() <= from) {
            return List.of();
        }
        List<TopLogprob> top = new ArrayList<>();
        for (int i = from; i + 1 < array.size(); i += 2) {
            top.add(new TopLogprob(array.path(i).intValue(), Float.intBitsToFloat(array.path(i + 1).intValue())));
        }
        return List.copyOf(top);
    }

    private static TokenEvent.Finish requireFinish(JsonNode node) throws WireException {
        TokenEvent.Finish finish = finish(node);
        if (finish == null) {
            throw new WireException("an end must say how: " + node);
        }
        return finish;
    }

    private static TokenEvent.@Nullable Finish finish(JsonNode f) throws WireException {
        if (!f.isArray()) {
            return null;
        }
        return new TokenEvent.Finish(FinishReason.valueOf(f.path(0).asText()),
                new Usage(f.path(1).intValue(), f.path(2).intValue(), f.path(3).intValue()),
                new Timing(f.path(4).doubleValue(), f.path(5).doubleValue(), f.path(6).doubleValue(), f.path(7).doubleValue()),
                f.path(8).isObject() ? EvidenceJson.read(f.path(8)) : null);
    }
}
