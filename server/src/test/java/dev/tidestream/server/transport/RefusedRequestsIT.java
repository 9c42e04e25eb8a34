package dev.tidestream.server.transport;

import java.util.List;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import dev.tidestream.protocol.ServerMessage;
import dev.tidestream.server.LoggedLines;
import dev.tidestream.server.logging.EventLog;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** What clients are refused stands in the log, not as often as they like, and in one line whatever they send. */
@ExtendWith(NettyLeakCheck.class)
class RefusedRequestsIT {

    @Test
    void shouldWriteDownWhatWasRefusedToWhom() throws Exception {
        try (LoggedLines logged = new LoggedLines(EventLog.REFUSALS)) {
            try (TestServer server = new TestServer(); TestClient client = server.client()) {
                client.send("{\"type\":\"generate\",\"id\":\"a\\nb\\u001b[2J\",\"prompt\":\"x\",\"max_tokens\":0}")
                        .next(ServerMessage.Failed.class);
                client.send("not json").next(ServerMessage.Failed.class);
                server.http("GET", "/nothing%0Ahere");
                server.http("POST", "/health/live");
            }
            List<String> lines = logged.lines();
            String who = "connection=s1 remote=127\\.0\\.0\\.1:\\d+ ";
            assertEquals(4, lines.size(), lines.toString());
            assertTrue(lines.get(0).matches("WARN refused code=invalid_value " + who
                    + "id=\"a\\\\nb\\\\u001b\\[2J\" message=\".*\""), lines.get(0));
            assertTrue(lines.get(1).matches("WARN refused code=malformed_json " + who + "message=\".*\""), lines.get(1));
            assertTrue(lines.get(2).matches("WARN refused code=not_found status=404 remote=127\\.0\\.0\\.1:\\d+ method=\"GET\" "
                    + "path=\".*here\" message=\".*\""),
                    lines.get(2));
            assertTrue(lines.get(3).matches("WARN refused code=method_not_allowed status=405 .* method=\"POST\" "
                    + "path=\"/health/live\" .*"), lines.get(3));
        }
    }

    @Test
    void shouldLeaveOutWhatIsTooMuchAndCountIt() throws Exception {
        try (LoggedLines logged = new LoggedLines(EventLog.REFUSALS)) {
            try (TestServer server = new TestServer(); TestClient client = server.client()) {
                for (int i = 0; i < 500; i++) {
                    client.send("not json").next(ServerMessage.Failed.class);
                }
            }
            List<String> lines = logged.lines();
            long written = lines.stream().filter(line -> line.startsWith("WARN refused code=malformed_json ")).count();
            long suppressed = lines.stream().filter(line -> line.contains(" suppressed=")
                    || line.startsWith("WARN suppressed kind=malformed_json lines="))
                    .mapToLong(line -> Long.parseLong(line.substring(line.lastIndexOf('=') + 1))).sum();
            assertTrue(written >= 10 && written < 250, lines.toString());
            assertEquals(500, written + suppressed, lines.toString());
        }
    }
}
