package dev.tidestream.server.app;

import java.net.URI;
import java.util.Locale;
import java.util.function.Supplier;

import io.opentelemetry.api.GlobalOpenTelemetry;
import org.jspecify.annotations.Nullable;

import dev.tidestream.server.logging.BackgroundLog;
import dev.tidestream.server.logging.EventLine;
import dev.tidestream.server.logging.EventLog;
import dev.tidestream.server.scheduler.StreamEnd;
import dev.tidestream.server.tracing.OtlpExport;
import dev.tidestream.server.tracing.StreamSpans;

/** A line of the log, and a span, for every stream that has ended. */
final class StreamLog implements AutoCloseable {
    private static final int MAX_WAITING = 4096;

    private final BackgroundLog log = new BackgroundLog(EventLog.of(EventLog.STREAMS), MAX_WAITING);

    private final @Nullable OtlpExport export;
    private final StreamSpans spans;
    private final Supplier<String> model;

    /**
     * A log, and a span, for every stream.
     *
     * @param collector where spans are sent; null: what the process has of OpenTelemetry gets them, such as its agent
     * @param model what is served
     */
    StreamLog(@Nullable URI collector, Supplier<String> model) {
        export = collector == null ? null : new OtlpExport(collector, ProgramVersion.ours());
        spans = new StreamSpans(export == null ? GlobalOpenTelemetry::getOrNoop : export::telemetry);
        this.model = model;
    }

    /** Decode thread. */
    void ended(StreamEnd end) {
        long nowMs = System.currentTimeMillis();
        log.done(() -> line(end, span(end, nowMs)));
    }

    private StreamSpans.Ids span(StreamEnd end, long nowMs) {
        String outcome = outcome(end);
        boolean finished = end.outcome() != StreamEnd.Outcome.FAILED;
        String error = finished ? null : end.code() == null ? outcome : end.code().wireName();
        return spans.ended(end.trace(), new StreamSpans.Ended(end.stream(), model.get(), finished ? outcome : null, error, end.usage(),
                end.timing(), end.weightsVersion(), nowMs));
    }

    private static String outcome(StreamEnd end) {
        return end.outcome().name().toLowerCase(Locale.ROOT);
    }

    static EventLine line(StreamEnd end, StreamSpans.Ids ids) {
        return EventLine.of("stream")
                .with("outcome", outcome(end))
                .with("code", end.code() == null ? null : end.code().wireName())
                .with("stream", end.stream())
                .with("prompt_tokens", end.usage().promptTokens())
                .with("completion_tokens", end.usage().completionTokens())
                .with("queue_ms", end.timing().queueMs())
                .with("first_token_ms", end.timing().firstTokenMs())
                .with("total_ms", end.timing().totalMs())
                .with("tokens_per_s", end.timing().tokensPerS())
                .with("weights_version", end.weightsVersion())
                .with("trace_id", ids.traceId())
                .with("span_id", ids.spanId())
                .with("parent_id", ids.parentId());
    }

    @Override
    public void close() {
        log.close();
        if (export != null) {
            export.close();
        }
    }
}
