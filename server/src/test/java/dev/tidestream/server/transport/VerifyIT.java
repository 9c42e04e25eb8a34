package dev.tidestream.server.transport;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** What verifications may cost: bounded in number, and over when their client has gone. */
class VerifyIT {
    private static final int[] PROMPT = {5};
    private static final int[] HOLD = "hold".chars().toArray(); // of which the engine makes no token

    private static HttpRequest request(TestServer server, String receipt, int[] prompt) {
        return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port() + "/v1/verify")).POST(HttpRequest.BodyPublishers.ofString(
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
            HttpResponse<String> keys = server.http("GET", "/.well-known/jwks.json");
            assertEquals(200, keys.statusCode());
            assertTrue(keys.body().startsWith("{\"keys\":[{\"kty\":\"OKP\""), keys.body());
        }
    }
}
