package dev.tidestream.server.transport;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.protocol.ServerMessage;
import dev.tidestream.protocol.options.Priority;
import dev.tidestream.protocol.options.Urgency;
import dev.tidestream.server.engine.GenerateRequest;
import dev.tidestream.server.keys.ApiKey;
import dev.tidestream.server.keys.ApiKeys;
import dev.tidestream.server.keys.KeyHash;
import dev.tidestream.server.keys.KeyLimits;
import dev.tidestream.server.keys.KeyRing;
import dev.tidestream.server.keys.KeyText;
import dev.tidestream.server.keys.Owner;
import dev.tidestream.server.resume.ResumeLimits;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** What the engine hears of whose a request is, and how urgent, on every wire. */
class UrgencyIT {
    private static final HttpClient HTTP = HttpClient.newHttpClient();
    private static final String ALICE = KeyText.generate();

    @SuppressWarnings("NullAway.Init") // in each test
    private TestServer server;

    @AfterEach
    void stop() throws Exception {
        server.close();
    }

    private HttpResponse<String> complete(String more, String... headers) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:%d/v1/completions".formatted(server.port())))
                .POST(HttpRequest.BodyPublishers.ofString("{\"prompt\":\"x\",\"max_tokens\":1%s}".formatted(more)));
        return HTTP.send((headers.length == 0 ? request : request.headers(headers)).build(), HttpResponse.BodyHandlers.ofString());
    }

    @Test
    void shouldTellTheEngineOfPriorityAndDeadline() throws Exception {
        server = new TestServer();
        try (TestClient client = new TestClient(server.port())) {
            client.generate("a", "x", 1, "");
            client.untilFinished("a");
            client.generate("b", "x", 1, ",\"priority\":\"batch\",\"deadline_ms\":60000");
            client.untilFinished("b");
        }
        assertEquals(200, complete(",\"service_tier\":\"flex\",\"tidestream\":{\"deadline_ms\":500}").statusCode());
        assertEquals(200, complete(",\"service_tier\":\"auto\"").statusCode());
        assertEquals(200, complete(",\"service_tier\":\"priority\"").statusCode());
        assertEquals(
                List.of(Urgency.DEFAULT, new Urgency(Priority.BATCH, 60_000), new Urgency(Priority.BATCH, 500),
                        Urgency.DEFAULT, Urgency.DEFAULT),
                server.engine.requests.stream().map(request -> request.options().urgency()).toList());
    }

    @Test
    void shouldRefuseATierOrDeadlineThatThereIsNotByName() throws Exception {
        server = new TestServer();
        HttpResponse<String> tier = complete(",\"service_tier\":\"platinum\"");
        assertEquals(400, tier.statusCode());
        assertTrue(tier.body().contains("\"param\":\"service_tier\"") && tier.body().contains("platinum"), tier.body());
        HttpResponse<String> deadline = complete(",\"tidestream\":{\"deadline_ms\":0}");
        assertEquals(400, deadline.statusCode());
        assertTrue(deadline.body().contains("\"param\":\"tidestream.deadline_ms\""), deadline.body());
        assertEquals(List.of(), List.copyOf(server.engine.requests));
    }

    /** A proxy that knows how long its client waits need not look into the body; the earlier of both counts. */
    @Test
    void shouldTakeADeadlineFromAHeader() throws Exception {
        server = new TestServer();
        assertEquals(200, complete("", "X-Request-Deadline-Ms", "700").statusCode());
        assertEquals(200, complete(",\"tidestream\":{\"deadline_ms\":500}", "x-request-deadline-ms", "700").statusCode());
        assertEquals(200, complete(",\"tidestream\":{\"deadline_ms\":900}", "x-request-deadline-ms", "86400000").statusCode());
        assertEquals(200, complete(",\"service_tier\":\"flex\"", "x-request-deadline-ms", "00000001").statusCode());
        assertEquals(List.of(new Urgency(Priority.INTERACTIVE, 700), new Urgency(Priority.INTERACTIVE, 500),
                new Urgency(Priority.INTERACTIVE, 900), new Urgency(Priority.BATCH, 1)),
                server.engine.requests.stream().map(request -> request.options().urgency()).toList());
    }

    @Test
    void shouldRefuseAHeaderThatIsNoDeadline() throws Exception {
        server = new TestServer();
        for (String wrong : List.of("0", "-1", "1.5", "86400001", "1000000000", "soon", "")) {
            HttpResponse<String> refused = complete("", "x-request-deadline-ms", wrong);
            assertEquals(400, refused.statusCode(), wrong);
            assertTrue(refused.body().contains("x-request-deadline-ms must be a whole number, 1..86400000: " + wrong), refused.body());
            assertTrue(refused.body().contains("\"param\":\"x-request-deadline-ms\""), refused.body());
        }
        assertEquals(400, complete("", "x-request-deadline-ms", "1", "x-request-deadline-ms", "2").statusCode());
        assertEquals(List.of(), List.copyOf(server.engine.requests));
    }

    /** Without keys an address is one client, whatever its connections are. */
    @Test
    void shouldKnowClientsWithoutKeysByTheirAddress() throws Exception {
        server = new TestServer();
        try (TestClient one = new TestClient(server.port()); TestClient other = new TestClient(server.port())) {
            one.generate("a", "x", 1, "");
            one.untilFinished("a");
            other.generate("a", "x", 1, "");
            other.untilFinished("a");
        }
        assertEquals(200, complete("").statusCode());
        List<GenerateRequest> requests = List.copyOf(server.engine.requests);
        assertEquals(3, requests.stream().map(GenerateRequest::connection).distinct().count());
        assertEquals(1, requests.stream().map(GenerateRequest::account).distinct().count(), requests.toString());
        assertNotEquals("address ", requests.getFirst().account());
    }

    @Test
    void shouldKnowClientsByTheirKeys() throws Exception {
        server = new TestServer(ApiKeys.of(new KeyRing(List.of(new ApiKey("alice", KeyHash.of(ALICE), KeyLimits.NONE))), () -> 0));
        try (TestClient client = new TestClient(server.port(), ALICE)) {
            client.generate("a", "x", 1, "");
            client.untilFinished("a");
            client.generate("b", "x", 1, ",\"resumable\":true");
            client.untilFinished("b");
        }
        assertEquals(200, complete("", "Authorization", "Bearer " + ALICE).statusCode());
        Owner alice = new Owner("alice");
        assertEquals(List.of(alice, alice, alice), server.engine.requests.stream().map(GenerateRequest::account).toList());
    }

    @Test
    void shouldSayWhenToTryAgainWithAStreamThatCanBeResumed() throws Exception {
        server = new TestServer(ApiKeys.of(new KeyRing(List.of(new ApiKey("alice", KeyHash.of(ALICE), KeyLimits.NONE))), () -> 0),
                new ResumeLimits(Duration.ofMinutes(1), 1, 1 << 20, 1 << 20));
        try (TestClient client = new TestClient(server.port(), ALICE)) {
            client.generate("a", "hold", 1, ",\"resumable\":true");
            client.next(ServerMessage.Accepted.class);
            client.generate("b", "x", 1, ",\"resumable\":true");
            ServerMessage.Failed failed = client.next(ServerMessage.Failed.class);
            assertEquals("b", failed.id());
            assertEquals(ErrorCode.BUSY, failed.code());
            assertEquals(1000, failed.retryAfterMs());
        }
    }

    @Test
    void shouldSayWhenToTryAgain() throws Exception {
        server = new TestServer();
        try (TestClient client = new TestClient(server.port())) {
            client.generate("a", "refuse", 1, "");
            ServerMessage.Failed failed = client.next(ServerMessage.Failed.class);
            assertEquals(ErrorCode.BUSY, failed.code());
            assertEquals(1000, failed.retryAfterMs());
        }
    }
}
