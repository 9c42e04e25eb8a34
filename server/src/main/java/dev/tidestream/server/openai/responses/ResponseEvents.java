package dev.tidestream.server.openai.responses;

import java.nio.charset.StandardCharsets;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.util.RawValue;

import dev.tidestream.protocol.Protocol;
import dev.tidestream.protocol.Usage;
import dev.tidestream.server.openai.responses.LiveResponse.Status;
import dev.tidestream.server.openai.wire.JsonBytes;
import dev.tidestream.server.transport.http.HttpError;

/** A response as JSON and as server-sent events, which are numbered from 0: four that open it, its deltas, four that close it. */
final class ResponseEvents {
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;
    private static final int OPENING = 4;
    private static final int CLOSING = 4;

    private ResponseEvents() {}

    /** How many events there are by now. */
    static int count(LiveResponse response) {
        return OPENING + response.deltas().size() + (response.ended() ? CLOSING : 0);
    }

    /** The event of a number, with its empty line. */
    static JsonBytes write(LiveResponse response, int number) {
        int delta = number - OPENING;
        if (delta >= 0 && delta < response.deltas().size()) {
            return delta(response, number, response.deltas().get(delta));
        }
        ObjectNode event = number < OPENING ? opening(response, number) : closing(response, delta - response.deltas().size());
        event.put("sequence_number", number);
        byte[] json = event.toString().getBytes(StandardCharsets.UTF_8);
        return new JsonBytes().raw("event: ").raw(event.get("type").textValue()).raw("\ndata: ").raw(json).raw("\n\n");
    }

    private static JsonBytes delta(LiveResponse response, int number, LiveResponse.Delta delta) {
        return new JsonBytes().raw("event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"sequence_number\":")
                .number(number).raw(",\"item_id\":").string(response.origin().itemId())
                .raw(",\"output_index\":0,\"content_index\":0,\"delta\":").string(delta.text())
                .raw(",\"logprobs\":[").raw(delta.logprobs().getBytes(StandardCharsets.UTF_8))
                .raw("],\"tidestream\":{\"weights_version\":").number(delta.weightsVersion())
                .raw(",\"seq\":").number(delta.seq()).raw(",\"token\":").number(delta.token()).raw("}}\n\n");
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
        return switch (index) {
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
        boolean ended = whole && response.ended();
        ObjectNode object = NODES.objectNode().put("id", origin.id()).put("object", "response").put("created_at", origin.createdS());
        if (ended && response.status() == Status.COMPLETED) {
            object.put("completed_at", response.endedS());
        } else {
            object.putNull("completed_at");
        }
        object.put("status", (ended ? response.status() : Status.IN_PROGRESS).wireName());
        HttpError error = ended ? response.error() : null;
        if (error == null) {
            object.putNull("error");
        } else {
            object.putObject("error").put("code", "server_error").put("message", error.message());
        }
        if (ended && response.status() == Status.INCOMPLETE) {
            object.putObject("incomplete_details").put("reason", "max_output_tokens");
        } else {
            object.putNull("incomplete_details");
        }
        object.put("model", origin.model());
        if (ended) {
            object.putArray("output").add(item(response, true));
        } else {
            object.putArray("output");
        }
        object.setAll(origin.request().echo());
        Usage usage = ended ? response.usage() : null;
        if (usage == null) {
            object.putNull("usage");
        } else {
            usage(object.putObject("usage"), usage);
        }
        ObjectNode own = object.putObject("tidestream").put("weights_version", response.weightsVersion());
        if (Math.abs(response.seed()) <= Protocol.MAX_SAFE_INTEGER) {
            own.put("seed", response.seed());
        } else {
            own.put("seed", Long.toString(response.seed()));
        }
        own.put("system_fingerprint", response.fingerprint());
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
