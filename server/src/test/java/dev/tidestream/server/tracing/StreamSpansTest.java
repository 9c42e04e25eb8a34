package dev.tidestream.server.tracing;

import java.util.List;

import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.testing.exporter.InMemorySpanExporter;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.data.EventData;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor;
import org.junit.jupiter.api.Test;

import dev.tidestream.protocol.Timing;
import dev.tidestream.protocol.Usage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

class StreamSpansTest {
    private static final String TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
    private static final String PARENT = "00f067aa0ba902b7";
    private static final RequestTrace SAMPLED = RequestTrace.of("00-" + TRACE + "-" + PARENT + "-01", "foo=1");
    private static final long END_MS = 1_795_000_000_000L;
    private static final StreamSpans.Ended ENDED =
            new StreamSpans.Ended(7, "m/1", "stop", null, new Usage(5, 3, 2), new Timing(10, 40, 100, 33),
            4, END_MS);

    private final InMemorySpanExporter exported = InMemorySpanExporter.create();
    private final OpenTelemetry sdk = OpenTelemetrySdk.builder()
            .setTracerProvider(SdkTracerProvider.builder().addSpanProcessor(SimpleSpanProcessor.create(exported)).build()).build();
    private final StreamSpans spans = new StreamSpans(() -> sdk);

    private SpanData only() {
        List<SpanData> all = exported.getFinishedSpanItems();
        assertEquals(1, all.size(), all.toString());
        return all.getFirst();
    }

    @Test
    void shouldSayWhatTheConventionsHave() {
        StreamSpans.Ids ids = spans.ended(SAMPLED.asChat(), ENDED);
        SpanData span = only();
        assertEquals("chat m/1", span.getName());
        assertEquals(SpanKind.SERVER, span.getKind());
        assertEquals(new StreamSpans.Ids(TRACE, span.getSpanId(), PARENT), ids);
        assertEquals(TRACE, span.getTraceId());
        assertEquals(PARENT, span.getParentSpanId());
        assertEquals("1", span.getSpanContext().getTraceState().get("foo"));
        assertEquals("chat", span.getAttributes().get(StreamSpans.OPERATION));
        assertEquals("m/1", span.getAttributes().get(StreamSpans.REQUEST_MODEL));
        assertEquals(5, span.getAttributes().get(StreamSpans.INPUT_TOKENS));
        assertEquals(3, span.getAttributes().get(StreamSpans.OUTPUT_TOKENS));
        assertEquals(2, span.getAttributes().get(StreamSpans.CACHED_TOKENS));
        assertEquals(List.of("stop"), span.getAttributes().get(StreamSpans.FINISH_REASONS));
        assertEquals(7, span.getAttributes().get(StreamSpans.STREAM));
        assertEquals(4, span.getAttributes().get(StreamSpans.WEIGHTS));
        assertEquals(StatusCode.UNSET, span.getStatus().getStatusCode());
    }

    @Test
    void shouldLieInThePast() {
        spans.ended(SAMPLED, ENDED);
        SpanData span = only();
        assertEquals("text_completion m/1", span.getName());
        assertEquals(END_MS * 1_000_000, span.getEndEpochNanos());
        assertEquals((END_MS - 100) * 1_000_000, span.getStartEpochNanos());
        assertEquals(List.of("tidestream.admitted", "tidestream.first_token"), span.getEvents().stream().map(EventData::getName).toList());
        assertEquals(List.of((END_MS - 90) * 1_000_000, (END_MS - 60) * 1_000_000),
                span.getEvents().stream().map(EventData::getEpochNanos).toList());
    }

    @Test
    void shouldSayWhyAStreamHasFailed() {
        spans.ended(RequestTrace.NONE, new StreamSpans.Ended(8, "m/1", null, "credit_timeout", new Usage(5, 0),
                new Timing(1, 0, 2, 0), 4, END_MS));
        SpanData span = only();
        assertEquals("credit_timeout", span.getAttributes().get(StreamSpans.ERROR));
        assertEquals(StatusCode.ERROR, span.getStatus().getStatusCode());
        assertNull(span.getAttributes().get(StreamSpans.FINISH_REASONS));
        assertEquals(1, span.getEvents().size(), "no token, no first one");
        assertEquals("0000000000000000", span.getParentSpanId());
    }

    /** What the caller does not sample is not exported, and has ids nonetheless. */
    @Test
    void shouldDoAsTheCallerDoes() {
        StreamSpans.Ids ids = spans.ended(RequestTrace.of("00-" + TRACE + "-" + PARENT + "-00", null), ENDED);
        assertEquals(List.of(), exported.getFinishedSpanItems());
        assertEquals(TRACE, ids.traceId());
        assertEquals(PARENT, ids.parentId());
        assertNotEquals(PARENT, ids.spanId());
    }

    @Test
    void shouldHaveIdsWhereNobodyCollectsSpans() {
        StreamSpans none = new StreamSpans(OpenTelemetry::noop);
        StreamSpans.Ids child = none.ended(SAMPLED, ENDED);
        assertEquals(TRACE, child.traceId());
        assertEquals(PARENT, child.parentId());
        assertTrue(child.spanId().matches("[0-9a-f]{16}") && !child.spanId().equals(PARENT), child.toString());
        StreamSpans.Ids first = none.ended(RequestTrace.NONE, ENDED);
        assertTrue(first.traceId().matches("[0-9a-f]{32}"), first.toString());
        assertNull(first.parentId());
        assertNotEquals(first.traceId(), none.ended(RequestTrace.NONE, ENDED).traceId());
    }
}
