package dev.tidestream.server.openai.responses.disk;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

import com.fasterxml.jackson.core.JsonFactoryBuilder;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.Usage;
import dev.tidestream.server.keys.Owner;
import dev.tidestream.server.openai.responses.LiveResponse;
import dev.tidestream.server.openai.responses.LiveResponse.Delta;
import dev.tidestream.server.openai.responses.LiveResponse.End;
import dev.tidestream.server.openai.responses.LiveResponse.Origin;
import dev.tidestream.server.openai.responses.LiveResponse.Status;
import dev.tidestream.server.transport.http.HttpError;

/**
 * A response that has ended as one JSON object: {@code {"format":1,"origin":{…},"begin":{…},"deltas":[[text,logprobs,version,seq,token],…],
 * "end":{…}}}. Any thread.
 */
final class ResponseFormat {
    private static final int FORMAT = 1;
    private static final int DELTA_FIELDS = 5;
    private static final ObjectMapper JSON = new ObjectMapper(new JsonFactoryBuilder()
            .streamReadConstraints(StreamReadConstraints.builder().maxStringLength(Integer.MAX_VALUE).build()).build()); // files of ours

    private ResponseFormat() {}

    static byte[] write(LiveResponse response) {
        ObjectNode root = JsonNodeFactory.instance.objectNode().put("format", FORMAT);
        Origin from = response.origin();
        ObjectNode origin = root.putObject("origin").put("id", from.id()).put("owner", from.owner().name()).put("item_id", from.itemId())
                .put("created", from.createdS()).put("model", from.model()).put("warm_up", from.warmUp());
        origin.putArray("items").addAll(from.items());
        origin.set("echo", from.echo());
        origin.putArray("conversation").addAll(from.conversation());
        root.putObject("begin").put("weights_version", response.begin().weightsVersion()).put("seed", response.begin().seed())
                .put("fingerprint", response.begin().fingerprint());
        ArrayNode deltas = root.putArray("deltas");
        for (Delta delta : response.deltas()) {
            deltas.addArray().add(delta.text()).add(delta.logprobs()).add(delta.weightsVersion()).add(delta.seq()).add(delta.token());
        }
        End how = response.end();
        if (how == null) {
            throw new IllegalStateException("it has not ended: " + from.id());
        }
        ObjectNode end = root.putObject("end").put("status", how.status().wireName()).put("ended", how.endedS());
        if (how.usage() != null) {
            end.putArray("usage").add(how.usage().promptTokens()).add(how.usage().completionTokens()).add(how.usage().cachedTokens());
        }
        if (how.receipt() != null) {
            end.put("receipt", how.receipt());
        }
        if (how.error() != null) {
            HttpError error = how.error();
            end.putObject("error").put("status", error.status()).put("type", error.type()).put("code", error.code())
                    .put("param", error.param()).put("message", error.message());
        }
        return root.toString().getBytes(StandardCharsets.UTF_8);
    }

    /** @throws IOException if it is no response, or of another format */
    static LiveResponse read(byte[] file) throws IOException {
        JsonNode root = JSON.readTree(file);
        if (root.path("format").asInt() != FORMAT) {
            throw new IOException("not a response of format " + FORMAT);
        }
        JsonNode from = object(root, "origin");
        Origin origin = new Origin(text(from, "id"), new Owner(text(from, "owner")), text(from, "item_id"), number(from, "created"), text(from, "model"),
                true, from.path("warm_up").asBoolean(), nodes(from, "items"), (ObjectNode) object(from, "echo"), nodes(from, "conversation"));
        JsonNode begin = object(root, "begin");
        List<Delta> deltas = new ArrayList<>();
        for (JsonNode delta : nodes(root, "deltas")) {
            if (!delta.isArray() || delta.size() != DELTA_FIELDS) {
                throw new IOException("not a piece of a response: " + deltas.size());
            }
            deltas.add(new Delta(delta.get(0).asText(), delta.get(1).asText(), delta.get(2).asLong(), delta.get(3).asInt(),
                    delta.get(4).asInt()));
        }
        return LiveResponse.ended(origin,
                new LiveResponse.Begin(number(begin, "weights_version"), number(begin, "seed"), text(begin, "fingerprint")), deltas,
                end(object(root, "end")));
    }

    private static End end(JsonNode end) throws IOException {
        JsonNode usage = end.path("usage");
        JsonNode error = end.path("error");
        return new End(status(text(end, "status")), number(end, "ended"),
                usage.isArray() ? new Usage(usage.path(0).asInt(), usage.path(1).asInt(), usage.path(2).asInt()) : null,
                error.isObject() ? new HttpError(error.path("status").asInt(), text(error, "type"), orNull(error, "code"),
                        orNull(error, "param"), text(error, "message")) : null,
                orNull(end, "receipt"));
    }

    private static Status status(String name) throws IOException {
        for (Status status : Status.values()) {
            if (status.wireName().equals(name) && status != Status.IN_PROGRESS) {
                return status;
            }
        }
        throw new IOException("not the status of a response that has ended: " + name);
    }

    private static JsonNode object(JsonNode parent, String name) throws IOException {
        JsonNode node = parent.path(name);
        if (!node.isObject()) {
            throw new IOException("no object: " + name);
        }
        return node;
    }

    private static List<JsonNode> nodes(JsonNode parent, String name) throws IOException {
        JsonNode array = parent.path(name);
        if (!array.isArray()) {
            throw new IOException("no array: " + name);
        }
        List<JsonNode> nodes = new ArrayList<>();
        array.forEach(nodes::add);
        return nodes;
    }

    private static String text(JsonNode parent, String name) throws IOException {
        JsonNode node = parent.path(name);
        if (!node.isTextual()) {
            throw new IOException("no text: " + name);
        }
        return node.textValue();
    }

    private static @Nullable String orNull(JsonNode parent, String name) {
        return parent.path(name).textValue();
    }

    private static long number(JsonNode parent, String name) throws IOException {
        JsonNode node = parent.path(name);
        if (!node.isIntegralNumber()) {
            throw new IOException("no integer: " + name);
        }
        return node.longValue();
    }
}
