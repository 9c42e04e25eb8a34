package dev.tidestream.server.tracing;

import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.SpanId;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.TraceId;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.Timing;
import dev.tidestream.protocol.Usage;

/**
 * Makes a span for every stream that has ended, with the attributes that OpenTelemetry's conventions for generative AI have, and times of
 * the past; so that neither decode thread nor event loop has anything to do with it. Where nobody collects spans it costs next to nothing,
 * and the ids are made up here: what the log says of a stream belongs to the caller's trace in any case. Any thread.
 */
public final class StreamSpans {
    static final AttributeKey<String> OPERATION = AttributeKey.stringKey("gen_ai.operation.name");
    static final AttributeKey<String> PROVIDER = AttributeKey.stringKey("gen_ai.provider.name");
    static final AttributeKey<String> REQUEST_MODEL = AttributeKey.stringKey("gen_ai.request.model");
    static final AttributeKey<String> RESPONSE_MODEL = AttributeKey.stringKey("gen_ai.response.model");
    static final AttributeKey<Long> INPUT_TOKENS = AttributeKey.longKey("gen_ai.usage.input_tokens");
    static final AttributeKey<Long> OUTPUT_TOKENS = AttributeKey.longKey("gen_ai.usage.output_tokens");
    static final AttributeKey<Long> CACHED_TOKENS = AttributeKey.longKey("gen_ai.usage.cache_read.input_tokens");
    static final AttributeKey<List<String>> FINISH_REASONS = AttributeKey.stringArrayKey("gen_ai.response.finish_reasons");
    static final AttributeKey<String> ERROR = AttributeKey.stringKey("error.type");
    static final AttributeKey<Long> STREAM = AttributeKey.longKey("tidestream.stream");
    static final AttributeKey<Long> WEIGHTS = AttributeKey.longKey("tidestream.weights_version");
    static final String ADMITTED = "tidestream.admitted";
    static final String FIRST_TOKEN = "tidestream.first_token";

    private static final String SCOPE = "dev.tidestream.server";
    private static final double NANOS_PER_MS = 1e6;

    private final Supplier<OpenTelemetry> telemetry;

    /** @param telemetry asked for every stream, since a program may have one later than a server */
    public StreamSpans(Supplier<OpenTelemetry> telemetry) {
        this.telemetry = telemetry;
    }

    /**
     * A stream that has ended.
     *
     * @param stream the server's number of it
     * @param model what it was computed with
     * @param finish why it ended, if it did not fail
     * @param error why it failed
     * @param endMs since 1970
     */
    public record Ended(long stream, String model, @Nullable String finish, @Nullable String error, Usage usage, Timing timing,
            long weightsVersion, long endMs) {}

    /**
     * What the log calls a span.
     *
     * @param traceId 32 hexadecimal digits
     * @param spanId 16 hexadecimal digits
     * @param parentId that of the caller's span; null if the trace begins here
     */
    public record Ids(String traceId, String spanId, @Nullable String parentId) {}

    /** Makes the span of a stream. */
    public Ids ended(RequestTrace trace, Ended ended) {
        Tracer tracer = telemetry.get().getTracer(SCOPE);
        long endNs = TimeUnit.MILLISECONDS.toNanos(ended.endMs());
        long startNs = endNs - nanos(ended.timing().totalMs());
        String operation = trace.chat() ? "chat" : "text_completion";
        Span span = tracer.spanBuilder(operation + " " + ended.model())
                .setParent(Context.root().with(Span.wrap(trace.parent())))
                .setSpanKind(SpanKind.SERVER)
                .setStartTimestamp(startNs, TimeUnit.NANOSECONDS)
                .setAttribute(OPERATION, operation)
                .startSpan();
        if (span.isRecording()) {
            describe(span, ended, startNs);
        }
        span.end(endNs, TimeUnit.NANOSECONDS);
        return ids(trace.parent(), span.getSpanContext());
    }

    private static void describe(Span span, Ended ended, long startNs) {
        span.setAllAttributes(Attributes.builder()
                .put(PROVIDER, "tidestream")
                .put(REQUEST_MODEL, ended.model())
                .put(RESPONSE_MODEL, ended.model())
                .put(INPUT_TOKENS, (long) ended.usage().promptTokens())
                .put(OUTPUT_TOKENS, (long) ended.usage().completionTokens())
                .put(CACHED_TOKENS, (long) ended.usage().cachedTokens())
                .put(STREAM, ended.stream())
                .put(WEIGHTS, ended.weightsVersion())
                .build());
        span.addEvent(ADMITTED, startNs + nanos(ended.timing().queueMs()), TimeUnit.NANOSECONDS);
        if (ended.timing().firstTokenMs() > 0) {
            span.addEvent(FIRST_TOKEN, startNs + nanos(ended.timing().firstTokenMs()), TimeUnit.NANOSECONDS);
        }
        if (ended.finish() != null) {
            span.setAttribute(FINISH_REASONS, List.of(ended.finish()));
        }
        if (ended.error() != null) {
            span.setAttribute(ERROR, ended.error());
            span.setStatus(StatusCode.ERROR);
        }
    }

    private static long nanos(double ms) {
        return (long) (ms * NANOS_PER_MS);
    }

    /** Of a span that nobody collects, which is its parent's, or none. */
    private static Ids ids(SpanContext parent, SpanContext span) {
        String parentId = parent.isValid() ? parent.getSpanId() : null;
        if (span.isValid() && !span.getSpanId().equals(parentId)) {
            return new Ids(span.getTraceId(), span.getSpanId(), parentId);
        }
        ThreadLocalRandom random = ThreadLocalRandom.current();
        return new Ids(parent.isValid() ? parent.getTraceId() : TraceId.fromLongs(random.nextLong(), random.nextLong(1, Long.MAX_VALUE)),
                SpanId.fromLong(random.nextLong(1, Long.MAX_VALUE)), parentId);
    }
}
