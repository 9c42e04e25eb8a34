package dev.tidestream.server.resume;

import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.time.LocalDateTime;
import java.time.format.DateTimeParseException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.AdapterRef;
import dev.tidestream.protocol.ClientMessage;
import dev.tidestream.protocol.Codec;
import dev.tidestream.protocol.FinishReason;
import dev.tidestream.protocol.Limits;
import dev.tidestream.protocol.ProtocolException;
import dev.tidestream.protocol.Timing;
import dev.tidestream.protocol.Usage;
import dev.tidestream.server.engine.TokenEvent;

/**
 * The lines of a stream's file, a JSON object each: how it began, the request as the client sent it, then tokens as they were made, then its
 * end. The last line counts only with its line feed: without it, it was being written when the process ended.
 *
 * <pre>
 * {"journal":1,"owner":"","precision":"…","stream":7,"seed":7,"weights_version":3,"head_mode":"packed","prompt_tokens":5}
 * {"type":"generate","id":"…","prompt":"Once upon a time",…}
 * {"from":0,"tokens":[403,11]}
 * {"from":2,"tokens":[5],"finish":"length","prompt_tokens":5,"completion_tokens":3,"cached_tokens":0,"queue_ms":0.4,"first_token_ms":12.5,"total_ms":31,"tokens_per_s":99}
 * </pre>
 *
 * The first line has {@code prompt_sha256} if the client wants a receipt, and {@code rendered_at} if the prompt is of a time; a
 * line of tokens has {@code mixed} if some were made with another
 * head, or of another prompt, than the first line says.
 */
final class JournalLines {
    private static final int FORMAT = 1;

    private final ObjectMapper json = new ObjectMapper();
    private final Codec codec = new Codec(new Limits(Integer.MAX_VALUE, Integer.MAX_VALUE));
    private final String precision;

    /** @param precision what this process computes with */
    JournalLines(String precision) {
        this.precision = precision;
    }

    /** What a piece adds to a file. */
    String of(StreamRecord.Identity identity, StreamRecord.Piece piece) {
        StringWriter out = new StringWriter();
        TokenEvent.Accepted head = piece.accepted();
        if (head != null) {
            line(out, g -> {
                g.writeNumberField("journal", FORMAT);
                g.writeStringField("owner", identity.owner());
                g.writeStringField("precision", precision);
                g.writeNumberField("stream", head.stream());
                g.writeNumberField("seed", head.seed());
                g.writeNumberField("weights_version", head.weightsVersion());
                g.writeStringField("head_mode", head.headMode());
                g.writeNumberField("prompt_tokens", head.promptTokens());
                if (head.promptSha256() != null) {
                    g.writeStringField("prompt_sha256", head.promptSha256());
                }
                if (head.renderedAt() != null) {
                    g.writeStringField("rendered_at", head.renderedAt().toString());
                }
                if (head.adapter() != null) {
                    g.writeStringField("adapter_sha256", head.adapter().sha256());
                }
            });
            out.append(codec.encode(identity.message())).append('\n');
        }
        TokenEvent.Finish finish = piece.finish();
        if (piece.tokens().length > 0 || finish != null) { // in one line, so that no last token is there without its finish
            line(out, g -> {
                g.writeNumberField("from", piece.from());
                g.writeFieldName("tokens");
                g.writeArray(piece.tokens(), 0, piece.tokens().length);
                if (piece.mixed()) {
                    g.writeBooleanField("mixed", true);
                }
                if (finish != null) {
                    finish(g, finish);
                }
            });
        }
        return out.toString();
    }

    private static void finish(JsonGenerator g, TokenEvent.Finish finish) throws IOException {
        g.writeStringField("finish", finish.reason().name().toLowerCase(Locale.ROOT));
        g.writeNumberField("prompt_tokens", finish.usage().promptTokens());
        g.writeNumberField("completion_tokens", finish.usage().completionTokens());
        g.writeNumberField("cached_tokens", finish.usage().cachedTokens());
        g.writeNumberField("queue_ms", finish.timing().queueMs());
        g.writeNumberField("first_token_ms", finish.timing().firstTokenMs());
        g.writeNumberField("total_ms", finish.timing().totalMs());
        g.writeNumberField("tokens_per_s", finish.timing().tokensPerS());
    }

    private interface Fields {
        void write(JsonGenerator g) throws IOException;
    }

    private void line(StringWriter out, Fields fields) {
        try (JsonGenerator g = json.getFactory().createGenerator(out).disable(JsonGenerator.Feature.AUTO_CLOSE_TARGET)) {
            g.writeStartObject();
            fields.write(g);
            g.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        out.append('\n');
    }

    /**
     * Reads a file.
     *
     * @param handle the stream's
     * @param lines the whole ones
     * @return null if it was computed with another precision, and needs the same
     * @throws IOException if they are not those of a stream
     */
    @Nullable StreamRecord read(String handle, List<String> lines) throws IOException {
        if (lines.size() < 2) {
            throw new IOException("the file ends in its head: lines=" + lines.size());
        }
        JsonNode head = json.readTree(lines.get(0));
        if (number(head, "journal") != FORMAT) {
            throw new IOException("another format: journal=" + head.path("journal"));
        }
        ClientMessage.Generate request = request(handle, lines.get(1));
        if (!request.weights().follows() && !head.path("precision").asText().equals(precision)) {
            return null;
        }
        TokenEvent.Accepted accepted = new TokenEvent.Accepted(
                number(head, "stream"), number(head, "seed"), number(head, "weights_version", Long.MAX_VALUE),
                head.path("head_mode").asText(), count(head, "prompt_tokens"), head.path("prompt_sha256").textValue(),
                head.has("rendered_at") ? time(head.path("rendered_at").asText()) : null, adapter(request, head));
        int[] tokens = {};
        TokenEvent.Finish finish = null;
        boolean mixed = false;
        for (String line : lines.subList(2, lines.size())) {
            JsonNode node = json.readTree(line);
            tokens = joined(tokens, node);
            mixed |= node.path("mixed").asBoolean();
            finish = node.has("finish") ? finish(node) : null;
        }
        if (tokens.length > request.maxTokens() || (finish == null && tokens.length == request.maxTokens())) {
            throw new IOException("it has as many tokens as it may have, and no end: tokens=%d, max_tokens=%d"
                    .formatted(tokens.length, request.maxTokens()));
        }
        StreamRecord.Identity identity = new StreamRecord.Identity(handle, head.path("owner").asText(), request);
        return new StreamRecord(identity, precision, accepted, tokens, finish, mixed);
    }

    private static LocalDateTime time(String text) throws IOException {
        try {
            return LocalDateTime.parse(text);
        } catch (DateTimeParseException e) {
            throw new IOException("rendered_at must be a local date and time: " + text, e);
        }
    }

    private static @Nullable AdapterRef adapter(ClientMessage.Generate request, JsonNode head) {
        return request.options().adapter() == null ? null : new AdapterRef(request.options().adapter(), head.path("adapter_sha256").asText());
    }

    private ClientMessage.Generate request(String handle, String line) throws IOException {
        try {
            if (codec.decodeClient(line) instanceof ClientMessage.Generate generate && generate.id().equals(handle)) {
                return generate;
            }
        } catch (ProtocolException e) {
            throw new IOException("the second line is no request: " + e.getMessage(), e);
        }
        throw new IOException("the second line is not the request of this stream");
    }

    private static long number(JsonNode node, String field) throws IOException {
        JsonNode value = node.path(field);
        if (!value.canConvertToLong() || !value.isIntegralNumber()) {
            throw new IOException("%s must be an integer: %s".formatted(field, value));
        }
        return value.longValue();
    }

    private static long number(JsonNode node, String field, long most) throws IOException {
        long value = number(node, field);
        if (value < 0 || value > most) {
            throw new IOException("%s must be in 0..%d: %d".formatted(field, most, value));
        }
        return value;
    }

    private static int count(JsonNode node, String field) throws IOException {
        return (int) number(node, field, Integer.MAX_VALUE);
    }

    private static int[] joined(int[] before, JsonNode node) throws IOException {
        long from = number(node, "from");
        JsonNode added = node.path("tokens");
        if (from < 0 || from > before.length || !added.isArray()) {
            throw new IOException("tokens do not follow those before: from=%d, tokens_before=%d".formatted(from, before.length));
        }
        int[] all = Arrays.copyOf(before, (int) from + added.size());
        int at = (int) from;
        for (JsonNode token : added) {
            if (!token.isInt() || token.intValue() < 0) {
                throw new IOException("a token must be an integer of at least 0: " + token);
            }
            all[at++] = token.intValue();
        }
        return all;
    }

    private static TokenEvent.Finish finish(JsonNode node) throws IOException {
        String reason = node.path("finish").asText();
        for (FinishReason known : FinishReason.values()) {
            if (known.name().toLowerCase(Locale.ROOT).equals(reason)) {
                return new TokenEvent.Finish(known,
                        new Usage(count(node, "prompt_tokens"), count(node, "completion_tokens"), node.path("cached_tokens").asInt()),
                        new Timing(node.path("queue_ms").asDouble(), node.path("first_token_ms").asDouble(),
                                node.path("total_ms").asDouble(), node.path("tokens_per_s").asDouble()));
            }
        }
        throw new IOException("finish must be one of stop, length, cancelled: " + node.path("finish"));
    }
}
