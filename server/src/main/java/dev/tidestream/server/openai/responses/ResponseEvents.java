package dev.tidestream.server.openai.responses;

import java.nio.charset.StandardCharsets;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.util.RawValue;
import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.Protocol;
import dev.tidestream.protocol.Usage;
import dev.tidestream.server.openai.responses.LiveResponse.Status;
import dev.tidestream.server.openai.wire.JsonBytes;
import dev.tidestream.server.transport.http.HttpError;

/**
 * A response as JSON and as events, which are numbered from 0: four that open it, its deltas, four that close it; two and one if it is a
 * warm-up. The same on every wire: over HTTP they are server-sent events, over a WebSocket messages with the name of their lane.
 */
public final class ResponseEvents {
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;
    private static final int OPENING = 4;
    private static final int CLOSING = 4;
    private static final int WARM_UP_OPENING = 2;
    private static final int WARM_UP_CLOSING = 1;
    private static final String DELTA = "response.output_text.delta";

    private ResponseEvents() {}

    /** How many events there are by now. */
    public static int count(LiveResponse response) {
        int closing = response.origin().warmUp() ? WARM_UP_CLOSING : CLOSING;
        return opening(response) + response.deltas().size() + (response.ended() ? closing : 0);
    }

    private static int opening(LiveResponse response) {
        return response.origin().warmUp() ? WARM_UP_OPENING : OPENING;
    }

    /** Appends the event of a number as a server-sent event, with its empty line. */
    static JsonBytes write(JsonBytes out, LiveResponse response, int number) {
        if (isDelta(response, number)) {
            delta(response, number, null, out.raw("event: " + DELTA + "\ndata: "));
        } else {
            ObjectNode event = other(response, number);
            whole(event, null, out.raw("event: ").raw(event.get("type").textValue()).raw("\ndata: "));
        }
        return out.raw("\n\n");
    }

    /**
     * Appends the event of a number as a message.
     *
     * @param lane that it is on; null for one without a name
     */
    public static JsonBytes message(JsonBytes out, LiveResponse response, int number, @Nullable String lane) {
        if (isDelta(response, number)) {
            delta(response, number, lane, out);
        } else {
            whole(other(response, number), lane, out);
        }
        return out;
    }

    /** Whether the event of a number is a piece of the answer, which the client has given credit for. */
    public static boolean isDelta(LiveResponse response, int number) {
        int delta = number - opening(response);
        return delta >= 0 && delta < response.deltas().size();
    }

    private static void whole(ObjectNode event, @Nullable String lane, JsonBytes out) {
        if (lane != null) {
            event.put("stream_id", lane);
        }
        out.raw(event.toString().getBytes(StandardCharsets.UTF_8));
    }

    /** Any event but a delta. */
    private static ObjectNode other(LiveResponse response, int number) {
        int opening = opening(response);
        ObjectNode event = number < opening ? opening(response, number) : closing(response, number - opening - response.deltas().size());
        return event.put("sequence_number", number);
    }

    /** There is one for each token: nothing is made for it but its bytes. */
    private static void delta(LiveResponse response, int number, @Nullable String lane, JsonBytes out) {
        LiveResponse.Delta delta = response.deltas().get(number - opening(response));
        out.raw("{\"type\":\"" + DELTA + "\",\"sequence_number\":")
                .number(number).raw(",\"item_id\":").string(response.origin().itemId())
                .raw(",\"output_index\":0,\"content_index\":0,\"delta\":").string(delta.text())
                .raw(",\"logprobs\":[");
        if (!delta.logprobs().isEmpty()) {
            out.raw(delta.logprobs().getBytes(StandardCharsets.UTF_8));
        }
        out.raw("],\"tidestream\":{\"weights_version\":").number(delta.weightsVersion())
                .raw(",\"seq\":").number(delta.seq()).raw(",\"token\":").number(delta.token()).raw("}");
        if (lane != null) {
            out.raw(",\"stream_id\":").string(lane);
        }
        out.raw("}");
    }

    private static ObjectNode opening(LiveResponse response, int index) {
        return switch (index) {
            case 0 -> ofResponse("response.created", response, false);
            case 1 -> ofResponse("response.in_progress", response, false);
            case 2 -> {
                ObjectNode event = event("response.output_item.added").put("output_index", 0);
                event.set("item", item(response, false));
                yield event;
            }
            default -> ofPart("response.content_part.added", response, false);
        };
    }

    private static ObjectNode closing(LiveResponse response, int index) {
        return switch (response.origin().warmUp() ? CLOSING - WARM_UP_CLOSING : index) {
            case 0 -> {
                ObjectNode event = inPart("response.output_text.done", response).put("text", response.text());
                event.putRawValue("logprobs", new RawValue("[" + response.logprobs() + "]"));
                yield event;
            }
            case 1 -> ofPart("response.content_part.done", response, true);
            case 2 -> {
                ObjectNode event = event("response.output_item.done").put("output_index", 0);
                event.set("item", item(response, true));
                yield event;
            }
            default -> ofResponse(switch (response.status()) {
                case COMPLETED -> "response.completed";
                case INCOMPLETE, CANCELLED -> "response.incomplete";
                case FAILED -> "response.failed";
                case IN_PROGRESS -> throw new IllegalStateException("it has no end yet: " + response.origin().id());
            }, response, true);
        };
    }

    private static ObjectNode event(String type) {
        return NODES.objectNode().put("type", type);
    }

    private static ObjectNode ofResponse(String type, LiveResponse response, boolean whole) {
        ObjectNode event = event(type);
        event.set("response", object(response, whole));
        return event;
    }

    private static ObjectNode inPart(String type, LiveResponse response) {
        return event(type).put("item_id", response.origin().itemId()).put("output_index", 0).put("content_index", 0);
    }

    private static ObjectNode ofPart(String type, LiveResponse response, boolean whole) {
        ObjectNode event = inPart(type, response);
        event.set("part", part(response, whole));
        return event;
    }

    private static ObjectNode part(LiveResponse response, boolean whole) {
        ObjectNode part = NODES.objectNode().put("type", "output_text").put("text", whole ? response.text() : "");
        part.putArray("annotations");
        part.putRawValue("logprobs", new RawValue("[" + (whole ? response.logprobs() : "") + "]"));
        return part;
    }

    private static ObjectNode item(LiveResponse response, boolean whole) {
        ObjectNode item = NODES.objectNode().put("id", response.origin().itemId()).put("type", "message")
                .put("status", !whole ? "in_progress" : response.status() == Status.COMPLETED ? "completed" : "incomplete")
                .put("role", "assistant");
        if (whole) {
            item.putArray("content").add(part(response, true));
        } else {
            item.putArray("content");
        }
        return item;
    }

    /**
     * The response.
     *
     * @param whole as it has become; else as it was when it began
     */
    static ObjectNode object(LiveResponse response, boolean whole) {
        LiveResponse.Origin origin = response.origin();
        LiveResponse.End end = whole ? response.end() : null;
        ObjectNode object = NODES.objectNode().put("id", origin.id()).put("object", "response").put("created_at", origin.createdS());
        if (end != null && end.status() == Status.COMPLETED) {
            object.put("completed_at", end.endedS());
        } else {
            object.putNull("completed_at");
        }
        object.put("status", (end == null ? Status.IN_PROGRESS : end.status()).wireName());
        HttpError error = end == null ? null : end.error();
        if (error == null) {
            object.putNull("error");
        } else {
            object.putObject("error").put("code", "server_error").put("message", error.message());
        }
        if (end != null && end.status() == Status.INCOMPLETE) {
            object.putObject("incomplete_details").put("reason", "max_output_tokens");
        } else {
            object.putNull("incomplete_details");
        }
        object.put("model", origin.model());
        if (end != null && !origin.warmUp()) {
            object.putArray("output").add(item(response, true));
        } else {
            object.putArray("output");
        }
        object.setAll(origin.echo());
        Usage usage = end == null ? null : end.usage();
        if (usage == null) {
            object.putNull("usage");
        } else {
            usage(object.putObject("usage"), usage);
        }
        LiveResponse.Begin begin = response.begin();
        ObjectNode own = object.putObject("tidestream").put("weights_version", whole ? response.weightsVersion() : begin.weightsVersion());
        if (Math.abs(begin.seed()) <= Protocol.MAX_SAFE_INTEGER) {
            own.put("seed", begin.seed());
        } else {
            own.put("seed", Long.toString(begin.seed()));
        }
        own.put("system_fingerprint", begin.fingerprint());
        if (end != null && end.receipt() != null) {
            own.put("receipt", end.receipt());
        }
        return object;
    }

    private static void usage(ObjectNode out, Usage usage) {
        out.put("input_tokens", usage.promptTokens());
        out.putObject("input_tokens_details").put("cached_tokens", usage.cachedTokens()).put("cache_write_tokens", 0);
        out.put("output_tokens", usage.completionTokens());
        out.putObject("output_tokens_details").put("reasoning_tokens", 0);
        out.put("total_tokens", (long) usage.promptTokens() + usage.completionTokens());
    }
}
