package dev.tidestream.server.tracing;

import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.TraceFlags;
import io.opentelemetry.api.trace.TraceState;
import io.opentelemetry.context.Scope;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;

/** What W3C Trace Context says of the two headers; cases as in its test suite. */
class RequestTraceTest {
    private static final String TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
    private static final String SPAN = "00f067aa0ba902b7";
    private static final String VALID = "00-" + TRACE + "-" + SPAN + "-01";

    @ParameterizedTest
    @ValueSource(strings = {
        VALID,
        "00-" + TRACE + "-" + SPAN + "-00",
        "00-" + TRACE + "-" + SPAN + "-ff", // flags that nobody knows yet
        "cc-" + TRACE + "-" + SPAN + "-01", // a later version, read as far as this one goes
        "cc-" + TRACE + "-" + SPAN + "-01-what-the-future-will-be-like"})
    void shouldTakeWhatIsValid(String traceparent) {
        RequestTrace trace = RequestTrace.of(traceparent, null);
        assertEquals(TRACE, trace.traceId());
        assertEquals(SPAN, trace.parent().getSpanId());
        assertEquals(!traceparent.endsWith("-00"), trace.parent().isSampled());
        assertEquals("00-" + TRACE + "-" + SPAN, String.valueOf(trace.traceparent()).substring(0, 52));
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "", " ", "00", "00-", TRACE, "x",
        "ff-" + TRACE + "-" + SPAN + "-01",
        "0-" + TRACE + "-" + SPAN + "-01",
        "000-" + TRACE + "-" + SPAN + "-01",
        ".0-" + TRACE + "-" + SPAN + "-01",
        "00-00000000000000000000000000000000-" + SPAN + "-01",
        "00-" + TRACE + "-0000000000000000-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-" + SPAN + "-01",
        "00-" + TRACE + "-00F067AA0BA902B7-01",
        "00-" + TRACE + "-" + SPAN + "-0A",
        "00-.bf92f3577b34da6a3ce929d0e0e4736-" + SPAN + "-01",
        "00-" + TRACE + "-.0f067aa0ba902b7-01",
        "00-" + TRACE + "-" + SPAN + "-.0",
        "00-" + TRACE + "-" + SPAN + "-1",
        "00-" + TRACE + "-" + SPAN,
        "00-" + TRACE + "-" + SPAN + "-01-",
        "00-" + TRACE + "-" + SPAN + "-01-what-the-future-will-be-like",
        "00-" + TRACE + "-" + SPAN + "-01.",
        "cc-" + TRACE + "-" + SPAN + "-01.what-the-future-will-be-like",
        "00-4bf92f3577b34da6a3ce929d0e0e473-" + SPAN + "-01",
        "00_" + TRACE + "_" + SPAN + "_01",
        VALID + "," + VALID})
    void shouldTakeWhatIsMalformedForNone(String traceparent) {
        assertSame(RequestTrace.NONE, RequestTrace.of(traceparent, "foo=1"));
        assertNull(RequestTrace.of(traceparent, null).traceId());
    }

    @Test
    void shouldTakeOneHeaderOnly() {
        assertEquals(TRACE, RequestTrace.of(List.of(VALID), List.of()).traceId());
        assertEquals(TRACE, RequestTrace.of(List.of("  " + VALID + "\t"), List.of()).traceId());
        assertSame(RequestTrace.NONE, RequestTrace.of(List.of(), List.of("foo=1")));
        assertSame(RequestTrace.NONE, RequestTrace.of(List.of(VALID, VALID), List.of()));
    }

    @Test
    void shouldCarryTheStateOfOthers() {
        assertEquals("foo=1,bar=2", RequestTrace.of(List.of(VALID), List.of("foo=1", "bar=2")).tracestate());
        assertEquals("foo=1,t@v=2", RequestTrace.of(VALID, "foo=1 ,, t@v=2").tracestate());
        for (String malformed : List.of("foo", "foo=1=2", "FOO=1", "foo @=1", "foo=" + "1".repeat(300))) {
            RequestTrace trace = RequestTrace.of(VALID, malformed);
            assertEquals(TRACE, trace.traceId(), malformed);
            assertNull(trace.tracestate(), malformed);
        }
        String most = IntStream.range(0, 32).mapToObj(i -> "k" + i + "=" + i).collect(Collectors.joining(","));
        assertEquals(most, RequestTrace.of(VALID, most).tracestate());
        assertNull(RequestTrace.of(VALID, most + ",one=more").tracestate());
    }

    /** A message of one's own in the middle is another, with its parent: read anew it is the same. */
    @Test
    void shouldComeThroughAMessage() {
        RequestTrace trace = RequestTrace.of(VALID, "foo=1");
        assertEquals(trace, RequestTrace.of(trace.traceparent(), trace.tracestate()));
        assertEquals(RequestTrace.NONE, RequestTrace.of(RequestTrace.NONE.traceparent(), RequestTrace.NONE.tracestate()));
    }

    @Test
    void shouldBeAChildOfASpanThatAnAgentHasBegun() {
        SpanContext agent = SpanContext.create(TRACE, "1111111111111111", TraceFlags.getSampled(), TraceState.getDefault());
        try (Scope _ = Span.wrap(agent).makeCurrent()) {
            assertEquals(agent, RequestTrace.of(List.of(VALID), List.of()).parent());
        }
    }
}
