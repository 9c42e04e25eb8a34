package dev.tidestream.server.cluster.wire;

import java.io.IOException;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.List;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.JsonNode;

import dev.tidestream.protocol.WeightsPolicy;
import dev.tidestream.server.engine.Evidence;

/** What a receipt says of a stream, from the worker that computed it to the gateway that signs; all of it, since a retried request may differ. */
final class EvidenceJson {
    private EvidenceJson() {}

    static void write(JsonGenerator g, Evidence e) throws IOException {
        g.writeStartObject();
        g.writeNumberField("prompt_tokens", e.promptTokens());
        g.writeStringField("prompt_sha256", e.promptSha256());
        g.writeStringField("text_sha256", e.textSha256());
        g.writeBooleanField("parse_special", e.parseSpecial());
        g.writeStringField("rendered_at", e.renderedAt() == null ? null : e.renderedAt().toString());
        g.writeNumberField("max_tokens", e.maxTokens());
        RequestJson.sampling(g, e.sampling());
        g.writeArrayFieldStart("stop");
        for (String stop : e.stop()) {
            g.writeString(stop);
        }
        g.writeEndArray();
        g.writeStringField("weights", e.weights().name());
        g.writeNumberField("accepted_version", e.acceptedVersion());
        g.writeArrayFieldStart("spans");
        for (Evidence.Span span : e.spans()) {
            g.writeStartArray();
            g.writeNumber(span.from());
            g.writeNumber(span.to());
            g.writeNumber(span.weightsVersion());
            g.writeString(span.headMode());
            g.writeEndArray();
        }
        g.writeEndArray();
        g.writeNumberField("output_tokens", e.outputTokens());
        g.writeStringField("output_sha256", e.outputSha256());
        g.writeEndObject();
    }

    static Evidence read(JsonNode e) throws WireException {
        String at = e.path("rendered_at").textValue();
        List<Evidence.Span> spans = new ArrayList<>();
        for (JsonNode span : e.path("spans")) {
            spans.add(new Evidence.Span(span.path(0).intValue(), span.path(1).intValue(), span.path(2).longValue(), span.path(3).asText()));
        }
        return new Evidence(e.path("prompt_tokens").intValue(), e.path("prompt_sha256").asText(), e.path("text_sha256").textValue(),
                e.path("parse_special").booleanValue(), at == null ? null : LocalDateTime.parse(at), e.path("max_tokens").intValue(),
                RequestJson.readSampling(e), RequestJson.strings(e.path("stop")), WeightsPolicy.valueOf(e.path("weights").asText()),
                e.path("accepted_version").longValue(), spans, e.path("output_tokens").intValue(), e.path("output_sha256").asText());
    }
}
