package dev.tidestream.server.cluster.wire;

import java.io.IOException;
import java.time.LocalDateTime;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.function.Function;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.JsonNode;
import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.ChatMessage;
import dev.tidestream.protocol.SamplingOptions;
import dev.tidestream.protocol.WeightsPolicy;
import dev.tidestream.protocol.options.Priority;
import dev.tidestream.protocol.options.Urgency;
import dev.tidestream.server.engine.Continuation;
import dev.tidestream.server.engine.GenerateRequest;
import dev.tidestream.server.engine.RequestOptions;
import dev.tidestream.server.tracing.RequestTrace;

/**
 * A {@link GenerateRequest} as JSON, all of it: what a worker reads is equal to what the gateway was asked, but for account and
 * connection, which are names. Numbers that are floats travel as the double that is equal to them. Any thread.
 */
final class RequestJson {
    private final Function<Object, String> names;

    /** @param names of accounts and connections */
    RequestJson(Function<Object, String> names) {
        this.names = names;
    }

    void write(JsonGenerator g, GenerateRequest r) throws IOException {
        g.writeStartObject();
        if (r.prompt() != null) {
            g.writeStringField("prompt", r.prompt());
        }
        if (!r.messages().isEmpty()) {
            g.writeArrayFieldStart("messages");
            for (ChatMessage message : r.messages()) {
                g.writeString(message.role());
                g.writeString(message.content());
            }
            g.writeEndArray();
        }
        ints(g, "tokens", r.tokens());
        g.writeBooleanField("parse_special", r.parseSpecial());
        g.writeNumberField("max_tokens", r.maxTokens());
        sampling(g, r.sampling());
        g.writeArrayFieldStart("stop");
        for (String stop : r.stop()) {
            g.writeString(stop);
        }
        g.writeEndArray();
        g.writeNumberField("top_logprobs", r.topLogprobs());
        g.writeNumberField("prompt_logprobs", r.promptLogprobs());
        g.writeStringField("weights", r.weights().name());
        g.writeStringField("connection", names.apply(r.connection()));
        g.writeStringField("account", names.apply(r.account()));
        continuation(g, r.continuation());
        options(g, r.options());
        g.writeEndObject();
    }

    static void sampling(JsonGenerator g, SamplingOptions s) throws IOException {
        g.writeArrayFieldStart("sampling");
        g.writeNumber((double) s.temperature());
        g.writeNumber(s.topK());
        g.writeNumber((double) s.topP());
        g.writeNumber((double) s.minP());
        g.writeNumber((double) s.repetitionPenalty());
        g.writeNumber((double) s.presencePenalty());
        g.writeNumber((double) s.frequencyPenalty());
        g.writeEndArray();
        if (s.seed().isPresent()) {
            g.writeNumberField("seed", s.seed().getAsLong());
        }
        g.writeArrayFieldStart("logit_bias");
        for (Map.Entry<Integer, Float> bias : s.logitBias().entrySet()) {
            g.writeNumber(bias.getKey());
            g.writeNumber((double) bias.getValue());
        }
        g.writeEndArray();
    }

    private static void continuation(JsonGenerator g, Continuation c) throws IOException {
        g.writeObjectFieldStart("continuation");
        ints(g, "generated", c.generated());
        g.writeNumberField("weights_version", c.weightsVersion());
        g.writeNumberField("at_least", c.atLeast());
        Continuation.Origin origin = c.origin();
        if (origin != null) {
            g.writeStringField("head_mode", origin.headMode());
            g.writeStringField("prompt_sha256", origin.promptSha256());
        }
        string(g, "adapter_sha256", c.adapterSha256());
        g.writeEndObject();
    }

    private static void options(JsonGenerator g, RequestOptions o) throws IOException {
        g.writeObjectFieldStart("options");
        g.writeBooleanField("receipt", o.receipt());
        g.writeStringField("priority", o.urgency().priority().name());
        g.writeNumberField("deadline_ms", o.urgency().deadlineMs());
        string(g, "adapter", o.adapter());
        string(g, "traceparent", o.trace().traceparent());
        string(g, "tracestate", o.trace().tracestate());
        g.writeBooleanField("chat", o.trace().chat());
        string(g, "rendered_at", o.renderedAt() == null ? null : o.renderedAt().toString());
        g.writeEndObject();
    }

    private static void string(JsonGenerator g, String name, @Nullable String value) throws IOException {
        if (value != null) {
            g.writeStringField(name, value);
        }
    }

    private static void ints(JsonGenerator g, String name, int @Nullable [] values) throws IOException {
        if (values != null) {
            g.writeFieldName(name);
            g.writeArray(values, 0, values.length);
        }
    }

    /** @throws WireException if it is no request, with the field */
    static GenerateRequest read(JsonNode node) throws WireException {
        try {
            return new GenerateRequest(node.path("prompt").textValue(), messages(node.path("messages")),
                    node.path("parse_special").booleanValue(), ints(node.path("tokens")), integer(node, "max_tokens"), readSampling(node),
                    strings(node.path("stop")), integer(node, "top_logprobs"), integer(node, "prompt_logprobs"),
                    WeightsPolicy.valueOf(text(node, "weights")), new RelayedParty(text(node, "connection")),
                    new RelayedParty(text(node, "account")), continuation(node.path("continuation")), options(node.path("options")));
        } catch (IllegalArgumentException | DateTimeParseException e) {
            throw new WireException("a request that cannot be one: " + e.getMessage(), e);
        }
    }

    private static List<ChatMessage> messages(JsonNode node) throws WireException {
        List<String> said = strings(node);
        if (said.size() % 2 != 0) {
            throw new WireException("messages must be roles and contents in turn: strings=" + said.size());
        }
        List<ChatMessage> messages = new ArrayList<>();
        for (int i = 0; i < said.size(); i += 2) {
            messages.add(new ChatMessage(said.get(i), said.get(i + 1)));
        }
        return messages;
    }

    static SamplingOptions readSampling(JsonNode node) throws WireException {
        JsonNode s = node.path("sampling");
        JsonNode biases = node.path("logit_bias");
        Map<Integer, Float> bias = new HashMap<>();
        for (int i = 0; i + 1 < biases.size(); i += 2) {
            bias.put(biases.path(i).intValue(), (float) biases.path(i + 1).doubleValue());
        }
        if (s.size() != 7) {
            throw new WireException("sampling must have 7 numbers: " + s.size());
        }
        return new SamplingOptions(number(s, 0), s.path(1).intValue(), number(s, 2), number(s, 3), number(s, 4), number(s, 5), number(s, 6), bias,
                node.has("seed") ? OptionalLong.of(node.path("seed").longValue()) : OptionalLong.empty());
    }

    private static Continuation continuation(JsonNode node) throws WireException {
        int[] generated = ints(node.path("generated"));
        Continuation.Origin origin = node.has("head_mode")
                ? new Continuation.Origin(text(node, "head_mode"), text(node, "prompt_sha256")) : null;
        return new Continuation(generated == null ? new int[0] : generated, node.path("weights_version").longValue(),
                node.path("at_least").longValue(), origin, node.path("adapter_sha256").textValue());
    }

    private static RequestOptions options(JsonNode node) throws WireException {
        RequestTrace trace = RequestTrace.of(node.path("traceparent").textValue(), node.path("tracestate").textValue());
        String at = node.path("rendered_at").textValue();
        return new RequestOptions(node.path("receipt").booleanValue(),
                new Urgency(Priority.valueOf(text(node, "priority")), node.path("deadline_ms").longValue()),
                node.path("adapter").textValue(), node.path("chat").booleanValue() ? trace.asChat() : trace,
                at == null ? null : LocalDateTime.parse(at));
    }

    private static float number(JsonNode array, int index) {
        return (float) array.path(index).doubleValue();
    }

    private static int integer(JsonNode node, String name) throws WireException {
        if (!node.path(name).isInt()) {
            throw new WireException("%s must be an integer: %s".formatted(name, node.path(name)));
        }
        return node.path(name).intValue();
    }

    private static String text(JsonNode node, String name) throws WireException {
        String text = node.path(name).textValue();
        if (text == null) {
            throw new WireException("%s must be a string: %s".formatted(name, node.path(name)));
        }
        return text;
    }

    static List<String> strings(JsonNode array) {
        List<String> strings = new ArrayList<>();
        array.forEach(item -> strings.add(item.asText()));
        return strings;
    }

    private static int @Nullable [] ints(JsonNode array) {
        if (!array.isArray()) {
            return null;
        }
        int[] ints = new int[array.size()];
        for (int i = 0; i < ints.length; i++) {
            ints[i] = array.path(i).intValue();
        }
        return ints;
    }
}
