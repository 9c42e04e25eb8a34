package dev.tidestream.server.transport;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

import org.junit.jupiter.api.Test;

import dev.tidestream.server.receipts.JwkSet;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** What verifications may cost: bounded in number, and over when their client has gone. */
class VerifyIT {
    private static final int[] PROMPT = {5};
    private static final int[] HOLD = "hold".chars().toArray(); // of which the engine makes no token

    private static HttpRequest request(TestServer server, String receipt, int[] prompt) {
        return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port() + "/v1/verify"))
                .POST(HttpRequest.BodyPublishers.ofString(
                "{\"receipt\":\"%s\",\"tokens\":%s}".formatted(receipt, Arrays.toString(prompt)))).build();
    }

    private static HttpResponse<String> verify(TestServer server, String receipt, int[] prompt) throws Exception {
        try (HttpClient client = HttpClient.newHttpClient()) {
            return client.send(request(server, receipt, prompt), HttpResponse.BodyHandlers.ofString());
        }
    }

    @Test
    void shouldComputeNoMoreAtOnceThanItMayAndStopWhenNobodyWaits() throws Exception {
        try (TestServer server = new TestServer()) {
            HttpClient leaving = HttpClient.newHttpClient();
            CompletableFuture<HttpResponse<String>> held = leaving.sendAsync(
                    request(server, ReceiptFixture.of(HOLD, 100, 101), HOLD), HttpResponse.BodyHandlers.ofString());
            server.engine.await(() -> server.engine.running() == 1);
            assertTrue(verify(server, ReceiptFixture.of(PROMPT, 100, 101), HOLD).body().contains("\"code\":\"prompt_differs\""),
                    "what needs nothing computed needs no place");
            long deadlineMs = server.engine.requests.element().options().urgency().deadlineMs();
            assertTrue(deadlineMs > 0 && deadlineMs <= 300_000, "it comes after everybody else, and not for ever: " + deadlineMs);
            HttpResponse<String> refused = verify(server, ReceiptFixture.of(PROMPT, 100, 101), PROMPT);
            assertEquals(503, refused.statusCode(), refused.body());
            assertTrue(refused.body().contains("limit=1"), refused.body());
            leaving.shutdownNow();
            server.engine.await(() -> server.engine.running() == 0);
            assertEquals(1, server.engine.cancelled.get());
            assertThrows(ExecutionException.class, held::get);
            HttpResponse<String> verified = untilTaken(server);
            assertTrue(verified.body().contains("\"result\":\"equal\""), verified.body());
        }
    }

    /** The event loop hears of the end of a connection a moment after the engine does. */
    private static HttpResponse<String> untilTaken(TestServer server) throws Exception {
        long deadlineNs = System.nanoTime() + 60_000_000_000L;
        HttpResponse<String> answer = verify(server, ReceiptFixture.of(PROMPT, 100, 101), PROMPT);
        while (answer.statusCode() == 503) {
            assertTrue(System.nanoTime() < deadlineNs, answer.body());
            answer = verify(server, ReceiptFixture.of(PROMPT, 100, 101), PROMPT);
        }
        return answer;
    }

    @Test
    void shouldComputeNothingForWhatIsNotGenuine() throws Exception {
        try (TestServer server = new TestServer()) {
            String receipt = ReceiptFixture.of(PROMPT, 100, 101);
            assertTrue(verify(server, receipt, HOLD).body().contains("\"code\":\"prompt_differs\""));
            assertTrue(verify(server, receipt + "A", PROMPT).body().contains("\"result\":\"invalid\""));
            assertEquals(0, server.engine.emitted.get());
            HttpResponse<String> differs = verify(server, ReceiptFixture.of(PROMPT, 100, 102), PROMPT);
            assertTrue(differs.body().contains("\"code\":\"recomputation_differs\""), differs.body());
        }
    }

    @Test
    void shouldPublishItsOwnKeysAndTrustOthers() throws Exception {
        try (TestServer server = new TestServer()) {
            HttpResponse<String> keys = server.http("GET", "/.well-known/jwks.json");
            assertEquals(200, keys.statusCode());
            assertTrue(keys.body().startsWith("{\"keys\":[{\"kty\":\"OKP\""), keys.body());
            assertEquals(1, JwkSet.parse(keys.body()).size(), keys.body());
            HttpResponse<String> ofAnother = verify(server, ReceiptFixture.ofAnother(PROMPT, 100, 101), PROMPT);
            assertTrue(ofAnother.body().contains("\"result\":\"equal\""), ofAnother.body());
        }
    }

    /** What a client ended would have gone on: a stream that ends by itself is another. */
    @Test
    void shouldNotTakeAnEndForACancellation() throws Exception {
        try (TestServer server = new TestServer()) {
            HttpResponse<String> goesOn = verify(server, ReceiptFixture.ofCancelled(PROMPT, 3, 100, 101), PROMPT);
            assertTrue(goesOn.body().contains("\"result\":\"equal\""), goesOn.body());
            HttpResponse<String> ends = verify(server, ReceiptFixture.ofCancelled(PROMPT, 2, 100, 101), PROMPT);
            assertTrue(ends.body().contains("\"code\":\"recomputation_differs\""), ends.body());
        }
    }

    @Test
    void shouldNotClaimToHaveComputedAStreamWithoutTokens() throws Exception {
        try (TestServer server = new TestServer()) {
            for (String receipt : List.of(ReceiptFixture.ofCancelled(PROMPT, 9), ReceiptFixture.ofCancelled(PROMPT, 0),
                    ReceiptFixture.of(PROMPT))) {
                HttpResponse<String> nothing = verify(server, receipt, PROMPT);
                assertTrue(nothing.body().contains("\"result\":\"equal\""), nothing.body());
                assertTrue(nothing.body().contains("nothing had to be computed"), nothing.body());
            }
            assertEquals(0, server.engine.emitted.get());
        }
    }
}
