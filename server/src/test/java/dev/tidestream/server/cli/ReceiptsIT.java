package dev.tidestream.server.cli;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.OptionalInt;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.protocol.FinishReason;
import dev.tidestream.protocol.ServerMessage;
import dev.tidestream.protocol.admin.AdminRequest;
import dev.tidestream.protocol.admin.PayloadType;
import dev.tidestream.protocol.admin.UpdateKind;
import dev.tidestream.server.cli.admin.AdminClient;
import dev.tidestream.server.receipts.SignedReceipt;
import dev.tidestream.server.transport.TestClient;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Receipts of a real server: of every wire, verified by computing their streams again. */
class ReceiptsIT {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int H = 256;
    private static final String CHAT = "[{\"role\":\"user\",\"content\":\"Once upon a time\"}]";

    @TempDir
    static Path temp;

    private static StartedServer server;
    private static HttpClient http;

    /** A stream as its client has it. */
    private record Stream(String receipt, List<Integer> tokens, String text) {
        static List<Integer> concat(List<ServerMessage> some, List<ServerMessage> more) {
            List<ServerMessage> all = new ArrayList<>(some);
            all.addAll(more);
            return all.stream().filter(ServerMessage.Token.class::isInstance).map(m -> ((ServerMessage.Token) m).token()).toList();
        }

        JsonNode payload() throws Exception {
            return JSON.readTree(SignedReceipt.parse(receipt).payload());
        }
    }

    @BeforeAll
    static void start() throws Exception {
        Files.writeString(temp.resolve("chat.jinja"),
                "{{ strftime_now('%T.%f') }} {% for message in messages %}{{ message.content }}{% endfor %}");
        server = started();
        http = HttpClient.newHttpClient();
    }

    private static StartedServer started() throws Exception {
        return new StartedServer(temp, "--chat-template", temp.resolve("chat.jinja").toString(), "--max-kept-versions", "100",
                "--shutdown-grace", "0", "--resume-window", "600");
    }

    @AfterAll
    static void stop() {
        http.close();
        server.close();
    }

    private static HttpResponse<String> post(String path, String body) throws Exception {
        return http.send(HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port() + path))
                .POST(HttpRequest.BodyPublishers.ofString(body)).build(), HttpResponse.BodyHandlers.ofString());
    }

    private static JsonNode ask(String path, String body) throws Exception {
        HttpResponse<String> answer = post(path, body);
        assertEquals(200, answer.statusCode(), answer.body());
        return JSON.readTree(answer.body());
    }

    private static JsonNode verify(String receipt, String more) throws Exception {
        return ask("/v1/verify", "{\"receipt\":\"%s\"%s}".formatted(receipt, more));
    }

    private static void assertEqual(String receipt, String more) throws Exception {
        JsonNode answer = verify(receipt, more);
        assertEquals("equal", answer.path("result").asText(), answer.toString());
    }

    private static void assertCode(String code, String receipt, String more) throws Exception {
        JsonNode answer = verify(receipt, more);
        assertEquals(code, answer.path("code").asText(), answer.toString());
    }

    private static Stream stream(TestClient client, String id, String more, int maxTokens) throws Exception {
        client.generate(id, "Once upon a time", maxTokens, ",\"receipt\":true" + more);
        return finished(client.untilFinished(id));
    }

    private static Stream finished(List<ServerMessage> messages) {
        assertTrue(messages.getLast() instanceof ServerMessage.Finished, messages.getLast().toString());
        List<ServerMessage.Token> tokens = messages.stream().filter(ServerMessage.Token.class::isInstance)
                .map(ServerMessage.Token.class::cast)
                .toList();
        String receipt = ((ServerMessage.Finished) messages.getLast()).receipt();
        assertNotNull(receipt);
        return new Stream(receipt, tokens.stream().map(ServerMessage.Token::token).toList(),
                tokens.stream().map(ServerMessage.Token::text).reduce("", String::concat));
    }

    @Test
    void shouldVerifyStreamsOfWebSockets() throws Exception {
        try (TestClient client = new TestClient(server.port())) {
            Stream drawn = stream(client, "a", "", 24); // temperature 1, the server's seed
            String prompt = ",\"prompt\":\"Once upon a time\"";
            assertEqual(drawn.receipt(), prompt);
            assertEqual(drawn.receipt(), prompt + ",\"output\":" + drawn.tokens());
            assertEqual(drawn.receipt(), prompt + ",\"output\":" + JSON.writeValueAsString(drawn.text()));
            assertCode("no_prompt", drawn.receipt(), "");
            assertCode("prompt_differs", drawn.receipt(), ",\"prompt\":\"Once upon a tide\"");
            Stream odd = stream(client, "b", ",\"stop\":[\"e\",\"zzz\"],\"sampling\":{\"temperature\":0.7,\"top_k\":50,\"min_p\":0.01,"
                    + "\"repetition_penalty\":1.1,\"presence_penalty\":0.2,\"seed\":\"-9223372036854775808\","
                    + "\"logit_bias\":{\"0\":-100}}", 200);
            assertEquals("stop", odd.payload().path("output").path("finish_reason").asText(), odd.payload().toString());
            assertEqual(odd.receipt(), prompt + ",\"output\":" + odd.tokens());
            client.generate("c", "Once upon a time", 1000, ",\"receipt\":true,\"credit\":5,\"sampling\":{\"logit_bias\":{\"0\":-100}}");
            List<ServerMessage> five = client.until(m -> m instanceof ServerMessage.Token t && t.seq() == 4);
            List<ServerMessage> rest = client.cancel("c").untilFinished("c");
            assertEquals(5, five.stream().filter(ServerMessage.Token.class::isInstance).count());
            Stream cancelled = finished(rest);
            assertEquals("cancelled", cancelled.payload().path("output").path("finish_reason").asText());
            assertEqual(cancelled.receipt(), prompt);
            List<Integer> got = Stream.concat(five, rest);
            assertEqual(cancelled.receipt(), prompt + ",\"output\":" + got);
            assertCode("output_differs", cancelled.receipt(), prompt + ",\"output\":" + got.subList(0, 3));
            client.send("{\"type\":\"generate\",\"id\":\"m\",\"max_tokens\":6,\"receipt\":true,\"messages\":" + CHAT + "}");
            assertEqual(finished(client.untilFinished("m")).receipt(), ",\"messages\":" + CHAT);
            client.generate("d", "x", 1, "");
            ServerMessage.Finished without = (ServerMessage.Finished) client.untilFinished("d").getLast();
            assertEquals(FinishReason.LENGTH, without.reason());
            assertEquals(null, without.receipt());
        }
    }

    @Test
    void shouldVerifyStreamsOfOpenAisWires() throws Exception {
        String own = ",\"tidestream\":{\"receipt\":true}";
        JsonNode whole = ask("/v1/completions", "{\"prompt\":[[5,6,7],[8,9]],\"max_tokens\":9,\"n\":2,\"return_token_ids\":true"
                + own + "}");
        for (int i = 0; i < 4; i++) {
            JsonNode choice = whole.path("choices").path(i);
            assertEqual(choice.path("tidestream").path("receipt").asText(),
                    ",\"tokens\":%s,\"output\":%s".formatted(i < 2 ? "[5,6,7]" : "[8,9]", choice.path("token_ids")));
        }
        JsonNode scored = ask("/v1/completions", "{\"prompt\":[5,6,7],\"max_tokens\":0,\"echo\":true" + own + "}").path("choices").path(0);
        assertEqual(scored.path("tidestream").path("receipt").asText(), ",\"tokens\":[5,6,7]");
        JsonNode chat = ask("/v1/chat/completions", "{\"messages\":" + CHAT + ",\"max_tokens\":9" + own + "}").path("choices").path(0);
        assertEqual(chat.path("tidestream").path("receipt").asText(),
                ",\"messages\":%s,\"output\":%s".formatted(CHAT, chat.path("message").path("content")));
        String events = post("/v1/chat/completions", "{\"stream\":true,\"messages\":" + CHAT + ",\"max_tokens\":9" + own + "}").body();
        assertEquals(1, events.split("\"receipt\":", -1).length - 1, events);
        assertEqual(events.replaceAll("(?s).*\"receipt\":\"([^\"]+)\".*", "$1"), ",\"messages\":" + CHAT);
        JsonNode response = ask("/v1/responses", "{\"input\":\"Once upon a time\",\"max_output_tokens\":9" + own + "}");
        assertEqual(response.path("tidestream").path("receipt").asText(), ",\"messages\":" + CHAT);
        JsonNode kept = JSON.readTree(http.send(HttpRequest.newBuilder(URI.create("http://127.0.0.1:%d/v1/responses/%s".formatted(
                server.port(), response.path("id").asText()))).build(), HttpResponse.BodyHandlers.ofString()).body());
        assertEquals(response.path("tidestream").path("receipt"), kept.path("tidestream").path("receipt"));
        JsonNode without = ask("/v1/chat/completions", "{\"messages\":" + CHAT + ",\"max_tokens\":2}").path("choices").path(0);
        assertTrue(without.path("tidestream").isMissingNode(), without.toString());
    }

    @Test
    void shouldNameTheTokenThatWasChanged() throws Exception {
        try (TestClient client = new TestClient(server.port())) {
            Stream stream = stream(client, "a", ",\"sampling\":{\"seed\":3,\"logit_bias\":{\"0\":-100}}", 12);
            List<Integer> changed = new ArrayList<>(stream.tokens());
            changed.set(7, changed.get(7) + 1);
            JsonNode answer = verify(stream.receipt(), ",\"prompt\":\"Once upon a time\",\"output\":" + changed);
            assertEquals("different", answer.path("result").asText(), answer.toString());
            assertEquals("output_differs", answer.path("code").asText());
            JsonNode difference = answer.path("difference");
            assertEquals(7, difference.path("position").asInt());
            assertEquals(stream.tokens().get(7), difference.path("expected").path("token").asInt());
            assertEquals(changed.get(7), difference.path("found").path("token").asInt());
        }
    }

    @Test
    void shouldRefuseForgeriesAndUnknownFields() throws Exception {
        try (TestClient client = new TestClient(server.port())) {
            String receipt = stream(client, "a", "", 3).receipt();
            String[] parts = receipt.split("\\.", -1);
            char other = parts[1].charAt(60) == 'A' ? 'B' : 'A';
            String payload = parts[1].substring(0, 60) + other + parts[1].substring(61);
            assertCode("bad_signature", "%s.%s.%s".formatted(parts[0], payload, parts[2]), "");
            String header = JSON.writeValueAsString(((ObjectNode) JSON.readTree(Base64.getUrlDecoder().decode(parts[0]))).put("kid", "x"));
            assertCode("unknown_key", "%s.%s.%s".formatted(Base64.getUrlEncoder().withoutPadding().encodeToString(header.getBytes(
                    StandardCharsets.UTF_8)), parts[1], parts[2]), "");
            assertCode("malformed_receipt", "x", "");
            HttpResponse<String> refused = post("/v1/verify", "{\"receipt\":\"x\",\"ouput\":\"y\"}");
            assertEquals(400, refused.statusCode());
            assertTrue(refused.body().contains("unknown field: ouput"), refused.body());
        }
    }

    @Test
    void shouldVerifyAStreamThatFollowedTheWeightsAsLongAsTheyAreThere() throws Exception {
        String follow = ",\"credit\":5,\"sampling\":{\"logit_bias\":{\"0\":-100}},\"weights\":\"follow\",\"kv\":";
        String prompt = ",\"prompt\":\"Once upon a time\"";
        try (TestClient holder = new TestClient(server.port()); TestClient client = new TestClient(server.port())) {
            holder.generate("holds the weights", "x", 9, ",\"credit\":0");
            assertTrue(holder.next() instanceof ServerMessage.Accepted);
            for (String id : List.of("recompute", "keep")) {
                client.generate(id, "Once upon a time", 12, ",\"receipt\":true" + follow + "\"" + id + "\"");
                client.until(m -> m instanceof ServerMessage.Token t && t.seq() == 4);
            }
            update();
            Stream recomputed = finished(client.credit("recompute", 7).untilFinished("recompute"));
            Stream kept = finished(client.credit("keep", 7).untilFinished("keep"));
            JsonNode spans = recomputed.payload().path("weights").path("spans");
            assertEquals(2, spans.size(), spans.toString());
            assertEquals(5, spans.path(1).path("from").asInt(), spans.toString());
            assertEqual(recomputed.receipt(), prompt);
            assertCode("kv_kept", kept.receipt(), prompt);
            assertNotNull(holder.cancel("holds the weights").untilFinished("holds the weights"));
            assertCode("version_gone", recomputed.receipt(), prompt);
        }
    }

    private static void update() throws Exception {
        long base = server.running().weightsVersion();
        ByteBuffer payload = ByteBuffer.allocate(4 + 4 * H).order(ByteOrder.LITTLE_ENDIAN).putInt(100);
        for (int i = 0; i < H; i++) {
            payload.putFloat(0.01f * (i % 7) * (base + 1));
        }
        String sha256 = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(payload.array()));
        Path file = Files.write(temp.resolve("payload"), payload.array());
        try (AdminClient admin = server.admin()) {
            admin.update(new AdminRequest.WeightsUpdate("r", "u" + base, base, "token_embd.weight", UpdateKind.ROWS,
                    List.of(1L, (long) H), PayloadType.F32, sha256, payload.capacity(), OptionalInt.empty(), null), file, progress -> { });
        }
    }

    @Test
    void shouldKnowItsKeyAndItsStreamsAfterARestart() throws Exception {
        String before;
        ServerMessage.Accepted accepted;
        try (TestClient client = new TestClient(server.port())) {
            before = stream(client, "a", "", 6).receipt();
            client.generate("b", "Once upon a time", 6, ",\"receipt\":true,\"resumable\":true");
            List<ServerMessage> messages = client.untilFinished("b");
            accepted = (ServerMessage.Accepted) messages.getFirst();
            assertEqual(finished(messages).receipt(), ",\"prompt\":\"Once upon a time\"");
            assertEquals(6, messages.stream().filter(ServerMessage.Token.class::isInstance).count());
        }
        server.close();
        server = started();
        assertEqual(before, ",\"prompt\":\"Once upon a time\"");
        for (int after : List.of(5, -1)) {
            try (TestClient client = new TestClient(server.port())) {
                client.send("{\"type\":\"resume\",\"id\":\"b\",\"stream\":\"%s\",\"after_seq\":%d}".formatted(accepted.resume(), after));
                Stream resumed = finished(client.untilFinished("b"));
                assertEquals(5 - after, resumed.tokens().size());
                assertEqual(resumed.receipt(), ",\"prompt\":\"Once upon a time\"");
            }
        }
    }

    @Test
    void shouldVerifyOnTheCommandLine() throws Exception {
        String url = "http://127.0.0.1:" + server.port();
        Path keys = Files.writeString(temp.resolve("jwks.json"),
                http.send(HttpRequest.newBuilder(URI.create(url + "/.well-known/jwks.json"))
                .build(), HttpResponse.BodyHandlers.ofString()).body());
        try (TestClient client = new TestClient(server.port())) {
            Stream stream = stream(client, "a", ",\"sampling\":{\"logit_bias\":{\"0\":-100}}", 4);
            Run offline = Run.of("receipt", "verify", stream.receipt(), "--keys", keys.toString());
            assertEquals(0, offline.code(), offline.err());
            assertTrue(offline.out().startsWith("genuine: signed with "), offline.out());
            assertTrue(offline.out().contains("temperature=1.0"), offline.out());
            Run online = Run.of("receipt", "verify", stream.receipt(), "--url", url, "--json");
            assertEquals("genuine", JSON.readTree(online.out()).path("result").asText(), online.err());
            String[] recompute = {"receipt", "verify", stream.receipt(), "--url", url, "--recompute", "--prompt", "Once upon a time"};
            Run equal = Run.of(recompute);
            assertEquals(0, equal.code(), equal.out() + equal.err());
            assertTrue(equal.out().startsWith("equal: "), equal.out());
            String[] changed = Arrays.copyOf(recompute, recompute.length + 2);
            changed[recompute.length] = "--output-tokens";
            changed[recompute.length + 1] = "%d,1".formatted(stream.tokens().getFirst());
            Run differs = Run.of(changed);
            assertEquals(1, differs.code());
            assertTrue(differs.out().contains("position    1\n"), differs.out());
            Run forged = Run.of("receipt", "verify", stream.receipt().substring(0, 20) + "A" + stream.receipt().substring(21), "--keys",
                    keys.toString());
            assertEquals(1, forged.code());
            assertTrue(forged.out().startsWith("invalid: "), forged.out());
            assertEquals(2, Run.of("receipt", "verify", stream.receipt(), "--url", url, "--recompute").code());
        }
    }
}
