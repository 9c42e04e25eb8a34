package dev.tidestream.server.transport;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.protocol.Priority;
import dev.tidestream.protocol.ServerMessage;
import dev.tidestream.protocol.Urgency;
import dev.tidestream.server.engine.GenerateRequest;
import dev.tidestream.server.keys.ApiKey;
import dev.tidestream.server.keys.ApiKeys;
import dev.tidestream.server.keys.KeyHash;
import dev.tidestream.server.keys.KeyLimits;
import dev.tidestream.server.keys.KeyRing;
import dev.tidestream.server.keys.KeyText;
import dev.tidestream.server.keys.Owner;

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
