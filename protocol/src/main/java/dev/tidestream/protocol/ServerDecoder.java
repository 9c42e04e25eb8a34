package dev.tidestream.protocol;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

import com.fasterxml.jackson.databind.JsonNode;

/** From the tree of a server's frame to its message, for clients. Fields that a newer server may add are passed over. */
final class ServerDecoder {
    private static final int ANY = Integer.MAX_VALUE;

    private ServerDecoder() {}

    static ServerMessage decode(String type, Fields m) throws ProtocolException {
        return switch (type) {
            case "accepted" -> new ServerMessage.Accepted(
                    id(m),
                    m.longInteger("stream", 0, Long.MAX_VALUE),
                    seed(m),
                    m.longInteger("weights_version", 0, Long.MAX_VALUE),
                    m.integer("prompt_tokens", 0, ANY),
                    m.has("resume") ? m.text("resume", 1, Protocol.MAX_ID_CHARS) : null);
            case "progress" -> new ServerMessage.Progress(id(m), m.integer("prefilled", 0, ANY), m.integer("of", 0, ANY));
            case "token" -> new ServerMessage.Token(
                    id(m),
                    m.integer("seq", 0, ANY),
                    m.integer("token", 0, ANY),
                    m.text("text", 0, ANY),
                    m.longInteger("weights_version", 0, Long.MAX_VALUE),
                    m.has("logprob") ? (Float) (float) m.anyNumber("logprob") : null,
                    topLogprobs(m));
            case "finished" -> finished(m);
            case "failed" -> new ServerMessage.Failed(
                    m.has("id") ? id(m) : null, constant(m, "code", ErrorCode.class), m.text("message", 0, ANY),
                    m.has("retry_after_ms") ? (Long) m.longInteger("retry_after_ms", 0, Long.MAX_VALUE) : null);
            case "weights_changed" -> new ServerMessage.WeightsChanged(m.longInteger("weights_version", 0, Long.MAX_VALUE));
            default -> throw FrameReader.unknownType(m, type);
        };
    }

    private static String id(Fields m) throws ProtocolException {
        return m.text("id", 1, Protocol.MAX_ID_CHARS);
    }

    private static long seed(Fields m) throws ProtocolException {
        m.required("seed");
        return m.seed("seed").orElseThrow();
    }

    private static ServerMessage finished(Fields m) throws ProtocolException {
        Fields usage = m.object("usage");
        Fields timing = m.object("timing");
        return new ServerMessage.Finished(
                id(m),
                constant(m, "reason", FinishReason.class),
                new Usage(usage.integer("prompt_tokens", 0, ANY), usage.integer("completion_tokens", 0, ANY),
                        usage.integer("cached_tokens", 0, ANY, 0)),
                new Timing(
                        timing.anyNumber("queue_ms"),
                        timing.anyNumber("first_token_ms"),
                        timing.anyNumber("total_ms"),
                        timing.anyNumber("tokens_per_s")),
                m.has("receipt") ? m.text("receipt", 1, ANY) : null,
                m.has("adapter") ? adapter(m.object("adapter")) : null);
    }

    private static AdapterRef adapter(Fields adapter) throws ProtocolException {
        return new AdapterRef(adapter.text("name", 1, ANY), adapter.text("sha256", 1, ANY));
    }

    private static List<TopLogprob> topLogprobs(Fields m) throws ProtocolException {
        JsonNode array = m.optional("top_logprobs");
        if (array == null) {
            return List.of();
        }
        if (!array.isArray()) {
            throw m.wrongType("top_logprobs", "an array of objects", array);
        }
        List<TopLogprob> result = new ArrayList<>(array.size());
        for (JsonNode entry : array) {
            String path = "top_logprobs[" + result.size() + "]";
            if (!entry.isObject()) {
                throw m.wrongType(path, "an object", entry);
            }
            Fields candidate = new Fields(entry, path + ".", null);
            result.add(new TopLogprob(candidate.integer("token", 0, ANY), (float) candidate.anyNumber("logprob")));
        }
        return List.copyOf(result);
    }

    private static <E extends Enum<E>> E constant(Fields m, String name, Class<E> type) throws ProtocolException {
        String wire = m.text(name, 1, ANY);
        for (E constant : type.getEnumConstants()) {
            if (constant.name().toLowerCase(Locale.ROOT).equals(wire)) {
                return constant;
            }
        }
        throw m.outOfRange(m.path(name), "a known " + name, m.required(name));
    }
}
