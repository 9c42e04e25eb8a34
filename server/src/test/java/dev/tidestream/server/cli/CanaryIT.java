package dev.tidestream.server.cli;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import reactor.core.publisher.Flux;

import dev.tidestream.protocol.SamplingOptions;
import dev.tidestream.protocol.WeightsPolicy;
import dev.tidestream.server.admin.store.directory.Sha256;
import dev.tidestream.server.canary.CanarySpec;
import dev.tidestream.server.canary.RollbackRule;
import dev.tidestream.server.engine.GenerateRequest;
import dev.tidestream.server.engine.TokenEvent;
import dev.tidestream.server.metrics.PrometheusPage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Versions that are held and tried, over real HTTP, on the embedded model. */
class CanaryIT {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int H = 256;
    private static final int STREAMS = 320;
    private static final int SIDE_BY_SIDE = 16;
    private static final double DEVIATIONS = 4.5;

    @TempDir
    Path temp;

    private final HttpClient http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    private record Answer(int status, JsonNode body) {
        String code() {
            return body.path("error").path("code").asText();
        }
    }

    private Answer send(StartedServer server, String method, String path, byte @Nullable [] body, String... headers) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder()
                .uri(URI.create("http://127.0.0.1:%d/admin/weights/%s".formatted(server.port(), path)))
                .header("authorization", "Bearer " + StartedServer.TOKEN)
                .method(method, body == null ? HttpRequest.BodyPublishers.noBody() : HttpRequest.BodyPublishers.ofByteArray(body));
        for (int i = 0; i < headers.length; i += 2) {
            request.header(headers[i], headers[i + 1]);
        }
        HttpResponse<String> response = http.send(request.build(), HttpResponse.BodyHandlers.ofString());
        return new Answer(response.statusCode(), JSON.readTree(response.body().isEmpty() ? "{}" : response.body()));
    }

    private Answer post(StartedServer server, String path, String body) throws Exception {
        return send(server, "POST", path, body.getBytes(StandardCharsets.UTF_8));
    }

    private Answer get(StartedServer server, String path) throws Exception {
        return send(server, "GET", path, null);
    }

    /** A version with another last norm; held. */
    private Answer hold(StartedServer server, String id, long base, float norm) throws Exception {
        float[] values = new float[H];
        Arrays.fill(values, norm);
        byte[] part = new Parts().floats("model.norm.weight", List.of(H), values).bytes();
        assertEquals(201, post(server, "updates",
                "{\"update_id\":\"%s\",\"base_version\":%d,\"publish\":\"hold\"}".formatted(id, base)).status());
        assertEquals(204, send(server, "PUT", "updates/" + id + "/parts/0", part, "x-content-sha256", Sha256.of(part)).status());
        return post(server, "updates/" + id + "/commit", "{}");
    }

    @SuppressWarnings("NullAway") // reads "int @Nullable []" from a class file as not null
    private static Flux<TokenEvent> stream(StartedServer server, long seed, int tokens) {
        SamplingOptions sampling = new SamplingOptions(0.8f, 0, 1f, 0f, 1f, 0f, 0f, Map.of(), OptionalLong.of(seed));
        return server.running().engine().generate(
                new GenerateRequest("Once", null, tokens, sampling, List.of(), -1, WeightsPolicy.PIN)).events();
    }

    /** Events of streams with the seeds 0, 1, 2, …; fails if a stream does. */
    private static List<List<TokenEvent>> streams(StartedServer server, int count, int tokens) {
        List<Flux<List<TokenEvent>>> all = new ArrayList<>();
        for (int seed = 0; seed < count; seed++) {
            all.add(stream(server, seed, tokens).collectList().flux());
        }
        return Flux.mergeSequential(all, SIDE_BY_SIDE, 1).collectList().blockOptional().orElseThrow();
    }

    private static long version(List<TokenEvent> events) {
        return ((TokenEvent.Accepted) events.getFirst()).weightsVersion();
    }

    private static List<TokenEvent.Token> tokens(List<TokenEvent> events) {
        return events.stream().filter(TokenEvent.Token.class::isInstance).map(TokenEvent.Token.class::cast).toList();
    }

    @Test
    void shouldHoldAndPublishOverARestart() throws Exception {
        try (StartedServer server = new StartedServer(temp)) {
            Answer held = hold(server, "a", 1, 1.25f);
            assertEquals(2, held.body().path("version").asLong(), held.body().toString());
            assertTrue(held.body().path("held").asBoolean());
            JsonNode version = get(server, "versions/2").body();
            assertTrue(version.path("held").asBoolean() && version.path("live").asBoolean(), version.toString());
            assertEquals(1, get(server, "versions").body().path("current").asLong());
            assertEquals(1, version(streams(server, 1, 1).getFirst()));
            assertTrue(server.running().epochs().lease(2).map(lease -> {
                lease.close();
                return true;
            }).orElse(false), "who asks for it gets it");
            assertTrue(post(server, "versions/2/verify", "").body().path("sound").asBoolean());
            assertEquals("base_version_conflict", post(server, "updates", "{\"update_id\":\"b\",\"base_version\":2}").code());
        }
        try (StartedServer server = new StartedServer(temp)) {
            assertEquals(1, server.running().weightsVersion());
            assertTrue(get(server, "versions/2").body().path("live").asBoolean(), "it is in memory again");
            assertEquals("unknown_version", post(server, "publish", "{\"version\":7}").code());
            assertTrue(post(server, "publish", "{\"version\":2}").body().path("changed").asBoolean());
            assertFalse(post(server, "publish", "{\"version\":2}").body().path("changed").asBoolean());
            assertEquals(2, version(streams(server, 1, 1).getFirst()));
        }
        try (StartedServer server = new StartedServer(temp)) {
            assertEquals(2, server.running().weightsVersion());
            assertFalse(get(server, "versions/2").body().path("held").asBoolean());
            assertTrue(post(server, "versions/2/verify", "").body().path("sound").asBoolean());
        }
    }

    @Test
    void shouldGiveAShareOfNewStreamsTheCanaryAndRollBackAPoisonedOne() throws Exception {
        try (StartedServer server = new StartedServer(temp)) {
            server.serving.warmUp();
            List<List<TokenEvent>> before = streams(server, STREAMS, 2);
            hold(server, "good", 1, 1.25f);
            assertEquals("unknown_version", post(server, "canary", "{\"version\":1,\"share\":0.2}").code());
            assertEquals("invalid_value", post(server, "canary", "{\"version\":2,\"share\":0}").code());
            assertEquals("unknown_field", post(server, "canary", "{\"version\":2,\"share\":0.2,\"rule\":{\"nice\":1}}").code());
            assertEquals("invalid_value", post(server, "canary", "{\"version\":2,\"share\":0.2,\"rule\":{\"max_kl\":1}}").code());
            assertEquals("none", get(server, "canary").body().path("state").asText());
            assertEquals(201, post(server, "canary", "{\"version\":2,\"share\":0.2,\"by\":\"seed\"}").status());
            assertEquals("trial_conflict", post(server, "canary", "{\"version\":2,\"share\":0.2}").code());
            requireShare(streams(server, STREAMS, 2), before, get(server, "canary").body());
            Answer ended = send(server, "DELETE", "canary", null);
            assertEquals("stopped", ended.body().path("reason").asText());
            assertEquals("trial_conflict", post(server, "canary/promote", "").code());

            hold(server, "poisoned", 1, Float.MAX_VALUE);
            assertEquals(201, post(server, "canary", "{\"version\":3,\"share\":0.2}").status());
            List<List<TokenEvent>> saved = streams(server, STREAMS / 4, 2);
            for (int seed = 0; seed < saved.size(); seed++) {
                assertEquals(texts(before.get(seed)), texts(saved.get(seed)), "seed " + seed);
            }
            JsonNode report = get(server, "canary").body();
            assertEquals("non_finite", report.path("reason").asText(), report.toString());
            assertEquals(0, report.path("canary").path("failed_streams").asLong());
            assertTrue(report.path("canary").path("streams").asLong() > 0);
            metrics(server);
        }
    }

    private static List<String> texts(List<TokenEvent> events) {
        return tokens(events).stream().map(token -> token.token() + " " + token.weightsVersion()).toList();
    }

    private static void requireShare(List<List<TokenEvent>> streams, List<List<TokenEvent>> before, JsonNode report) {
        CanarySpec spec = new CanarySpec(2, 0.2, CanarySpec.By.SEED, RollbackRule.NON_FINITE_ONLY);
        long canary = 0;
        for (int seed = 0; seed < STREAMS; seed++) {
            boolean takes = spec.takes(seed, "");
            canary += takes ? 1 : 0;
            assertEquals(takes ? 2 : 1, version(streams.get(seed)), "seed " + seed);
            assertTrue(tokens(streams.get(seed)).stream().allMatch(token -> token.weightsVersion() == (takes ? 2 : 1)));
            if (!takes) {
                assertEquals(texts(before.get(seed)), texts(streams.get(seed)));
            }
        }
        double bound = DEVIATIONS * Math.sqrt(STREAMS * 0.2 * 0.8);
        assertTrue(Math.abs(canary - STREAMS * 0.2) <= bound, "canary=%d of %d, bound=%s".formatted(canary, STREAMS, bound));
        assertEquals(canary, report.path("canary").path("streams").asLong(), report.toString());
        assertEquals(STREAMS - canary, report.path("baseline").path("streams").asLong());
        assertTrue(report.path("canary").path("mean_logprob").asDouble() < 0);
    }

    private void metrics(StartedServer server) throws Exception {
        HttpResponse<String> page = http.send(HttpRequest.newBuilder(URI.create("http://127.0.0.1:%d/metrics".formatted(server.port()))).build(),
                HttpResponse.BodyHandlers.ofString());
        Map<String, Double> samples = PrometheusPage.parse(page.body()).samples();
        assertEquals(1, samples.get("tidestream_canary_ended_total{reason=\"non_finite\"}"));
        assertEquals(1, samples.get("tidestream_canary_ended_total{reason=\"stopped\"}"));
        assertEquals(2, samples.get("tidestream_weights_held_versions"));
        assertEquals(0, samples.get("tidestream_canary_version"));
    }
}
