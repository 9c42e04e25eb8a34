package dev.tidestream.server.transport;

import java.util.List;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import dev.tidestream.server.LoggedLines;
import dev.tidestream.server.logging.EventLog;
import dev.tidestream.server.tracing.RequestTrace;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** From headers and messages to the engine, on every wire. */
@ExtendWith(NettyLeakCheck.class)
class TracingIT {
    private static final RequestTrace OUTER = RequestTrace.of("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "foo=1");
    private static final RequestTrace INNER = RequestTrace.of("00-11111111111111111111111111111111-2222222222222222-00", null);
    private static final String FIELD = ",\"traceparent\":\"" + INNER.traceparent() + "\"";
    private static final String INVALID = ",\"traceparent\":\"00-no-trace\"";

    @SuppressWarnings("NullAway.Init") // before each test
    private TestServer server;

    @BeforeEach
    void start() throws Exception {
        server = new TestServer();
    }

    @AfterEach
    void stop() throws Exception {
        server.close();
    }

    private RawHttp.Answer post(String path, String body) throws Exception {
        try (RawHttp http = new RawHttp(server.port())) {
            return http.send("POST %s HTTP/1.1\nHost: localhost\ntraceparent: %s\ntracestate: foo=1\nContent-Length: %d\n\n%s"
                    .formatted(path, OUTER.traceparent(), body.length(), body)).anyAnswer(true);
        }
    }

    @Test
    void shouldTakeTheTraceOfRequests() throws Exception {
        assertEquals(200, post("/v1/completions", "{\"prompt\":\"x\",\"max_tokens\":2,\"n\":2}").status());
        assertEquals(List.of(OUTER, OUTER), server.engine.traces());
        assertEquals(200, post("/v1/chat/completions", "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"max_tokens\":2}").status());
        assertEquals(OUTER.asChat(), server.engine.traces().getLast());
        try (LoggedLines refusals = new LoggedLines(EventLog.REFUSALS)) {
            assertEquals(404, post("/nothing", "").status());
            assertTrue(refusals.lines().getFirst().endsWith(" trace_id=4bf92f3577b34da6a3ce929d0e0e4736"), refusals.lines().toString());
        }
    }

    @Test
    void shouldTakeTheTraceOfAMessageOrElseOfTheHandshake() throws Exception {
        try (TestClient client = new TestClient(server.port(), true,
                http -> http.header("traceparent", String.valueOf(OUTER.traceparent())).header("tracestate", "foo=1"))) {
            client.generate("a", "x", 1, "").untilFinished("a");
            client.generate("b", "x", 1, FIELD).untilFinished("b");
            client.generate("c", "x", 1, INVALID).untilFinished("c");
            client.send("{\"type\":\"generate\",\"id\":\"d\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],"
                    + "\"max_tokens\":1}").untilFinished("d");
        }
        assertEquals(List.of(OUTER, INNER, RequestTrace.NONE, OUTER.asChat()), server.engine.traces());
        try (TestClient client = new TestClient(server.port())) {
            client.generate("a", "x", 1, "").untilFinished("a");
        }
        assertEquals(RequestTrace.NONE, server.engine.traces().getLast());
    }

    @Test
    void shouldTakeTheTraceOfResponsesOnLanes() throws Exception {
        try (LaneClient client = new LaneClient(server.port(), true,
                http -> http.header("traceparent", String.valueOf(OUTER.traceparent())))) {
            client.create("a", "x", 1, "").untilEnd("a");
            client.create("b", "x", 1, FIELD).untilEnd("b");
            client.create("c", "x", 1, INVALID).untilEnd("c");
        }
        List<RequestTrace> traces = server.engine.traces();
        assertEquals(3, traces.size());
        assertEquals(OUTER.traceId(), traces.getFirst().traceId());
        assertEquals(INNER.asChat(), traces.get(1));
        assertFalse(traces.getLast().parent().isValid());
    }
}
