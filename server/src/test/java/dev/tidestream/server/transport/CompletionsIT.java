package dev.tidestream.server.transport;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** {@code POST /v1/completions} over real sockets, with an engine that follows a script. */
@ExtendWith(NettyLeakCheck.class)
class CompletionsIT {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static TestServer server;
    private static HttpClient client;

    @BeforeAll
    static void start() throws Exception {
        server = new TestServer();
        client = HttpClient.newHttpClient();
    }

    @AfterAll
    static void stop() throws Exception {
        client.close();
        server.close();
    }

    private static HttpResponse<String> post(String path, String body) throws Exception {
        return client.send(
                HttpRequest.newBuilder(URI.create("http://localhost:" + server.port() + path))
                        .POST(HttpRequest.BodyPublishers.ofString(body)).build(),
                HttpResponse.BodyHandlers.ofString());
    }

    private static JsonNode complete(String body) throws Exception {
        HttpResponse<String> answer = post("/v1/completions", body);
        assertEquals(200, answer.statusCode(), answer.body());
        assertEquals("application/json", answer.headers().firstValue("content-type").orElseThrow());
        return JSON.readTree(answer.body());
    }

    /** The data of all events, the last of which is {@code [DONE]}. */
    private static List<JsonNode> stream(String body) throws Exception {
        HttpResponse<String> answer = post("/v1/completions", body);
        assertEquals(200, answer.statusCode(), answer.body());
        assertEquals("text/event-stream; charset=utf-8", answer.headers().firstValue("content-type").orElseThrow());
        assertTrue(answer.body().endsWith("data: [DONE]\n\n"), answer.body());
        List<JsonNode> chunks = new ArrayList<>();
        for (String event : answer.body().split("\n\n", -1)) {
            if (event.startsWith("data: {")) {
                chunks.add(JSON.readTree(event.substring("data: ".length())));
            }
        }
        return chunks;
    }

    @Test
    void shouldAnswerWhole() throws Exception {
        JsonNode answer = complete("""
                {"model":"m/1","prompt":"count","max_tokens":3,"seed":5,"user":"u","unknown":{"x":1},"stop":null,"top_p":1}""");
        assertTrue(answer.get("id").textValue().startsWith("cmpl-"));
        assertEquals("text_completion", answer.get("object").textValue());
        assertEquals("m/1", answer.get("model").textValue());
        assertEquals("ts_1", answer.get("system_fingerprint").textValue());
        assertEquals("[{\"index\":0,\"text\":\" w0 w1 w2\",\"logprobs\":null,\"finish_reason\":\"length\"}]",
                answer.get("choices").toString());
        assertEquals(3, answer.get("usage").get("prompt_tokens").intValue());
        assertEquals(3, answer.get("usage").get("completion_tokens").intValue());
        assertEquals(6, answer.get("usage").get("total_tokens").intValue());
        assertEquals("{\"weights_version\":1,\"seed\":5}", answer.get("tidestream").toString());
    }

    @Test
    void shouldStream() throws Exception {
        List<JsonNode> chunks = stream("{\"prompt\":\"count\",\"max_tokens\":2,\"stream\":true,\"seed\":9}");
        assertEquals(3, chunks.size());
        assertEquals(
                "{\"weights_version\":1,\"seq\":1,\"token\":101}", chunks.get(1).get("tidestream").toString());
        assertEquals("[{\"index\":0,\"text\":\" w1\",\"logprobs\":null,\"finish_reason\":null}]", chunks.get(1).get("choices").toString());
        assertEquals("[{\"index\":0,\"text\":\"\",\"logprobs\":null,\"finish_reason\":\"length\"}]",
                chunks.get(2).get("choices").toString());
        assertEquals("{\"weights_version\":1,\"seed\":9}", chunks.get(2).get("tidestream").toString());
        for (JsonNode chunk : chunks) {
            assertFalse(chunk.has("usage"), chunk.toString());
            for (String same : List.of("id", "object", "created", "model", "system_fingerprint")) {
                assertEquals(chunks.getFirst().get(same), chunk.get(same));
            }
        }
    }

    @Test
    void shouldTellTheUsageIfAskedTo() throws Exception {
        List<JsonNode> chunks = stream(
                "{\"prompt\":[\"a\",\"b\"],\"n\":2,\"max_tokens\":2,\"stream\":true,\"stream_options\":{\"include_usage\":true}}");
        JsonNode last = chunks.removeLast();
        assertEquals("[]", last.get("choices").toString());
        assertEquals(6, last.get("usage").get("prompt_tokens").intValue(), "of each prompt once");
        assertEquals(8, last.get("usage").get("completion_tokens").intValue());
        chunks.forEach(chunk -> assertTrue(chunk.get("usage").isNull(), chunk.toString()));
        for (int choice = 0; choice < 4; choice++) {
            int index = choice;
            assertEquals(List.of(" w0", " w1", ""), chunks.stream().map(chunk -> chunk.get("choices").get(0))
                    .filter(c -> c.get("index").intValue() == index).map(c -> c.get("text").textValue()).toList());
        }
    }

    @Test
    void shouldEcho() throws Exception {
        assertEquals("count w0", complete("{\"prompt\":\"count\",\"max_tokens\":1,\"echo\":true}").get("choices").get(0)
                .get("text").textValue());
        List<JsonNode> chunks = stream("{\"prompt\":[104,105],\"max_tokens\":1,\"echo\":true,\"stream\":true}");
        assertEquals(List.of("hi", " w0", ""), chunks.stream().map(c -> c.get("choices").get(0).get("text").textValue()).toList());
    }

    @Test
    void shouldTellTokenIds() throws Exception {
        JsonNode choice = complete("{\"prompt\":\"hi\",\"max_tokens\":2,\"return_token_ids\":true}").get("choices").get(0);
        assertEquals("[104,105]", choice.get("prompt_token_ids").toString());
        assertEquals("[100,101]", choice.get("token_ids").toString());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '\0', value = {
        // body | status | param | code | message
        "{|400|null|malformed_json|not one JSON object",
        "[]|400|null|malformed_json|not an object",
        "{}|400|\"prompt\"|missing_field|prompt",
        "{\"prompt\":null}|400|\"prompt\"|missing_field|prompt",
        "{\"prompt\":7}|400|\"prompt\"|invalid_type|prompt",
        "{\"prompt\":[]}|400|\"prompt\"|invalid_value|prompt",
        "{\"prompt\":[1,\"a\"]}|400|\"prompt[1]\"|invalid_type|an integer",
        "{\"prompt\":\"a\",\"top_p\":2}|400|\"top_p\"|invalid_value|(0, 1]",
        "{\"prompt\":\"a\",\"max_tokens\":0}|400|\"max_tokens\"|invalid_value|max_tokens",
        "{\"prompt\":\"a\",\"n\":17}|400|\"n\"|invalid_value|n must be",
        "{\"prompt\":\"a\",\"suffix\":\"b\"}|400|\"suffix\"|unsupported_parameter|suffix",
        "{\"prompt\":\"a\",\"best_of\":2}|400|\"best_of\"|unsupported_parameter|best_of",
        "{\"prompt\":\"a\",\"response_format\":{\"type\":\"json_object\"}}|400|\"response_format.type\"|unsupported_parameter|json_object",
        "{\"prompt\":\"a\",\"tidestream\":{\"weigths\":1}}|400|\"tidestream.weigths\"|unknown_field|weigths",
        "{\"prompt\":\"a\",\"model\":\"gpt-x\"}|404|\"model\"|model_not_found|gpt-x",
    })
    void shouldRefuseByName(String body, int status, String param, String code, String message) throws Exception {
        HttpResponse<String> answer = post("/v1/completions", body);
        assertEquals(status, answer.statusCode(), answer.body());
        JsonNode error = JSON.readTree(answer.body()).get("error");
        assertEquals("invalid_request_error", error.get("type").textValue());
        assertEquals(param, error.get("param").toString());
        assertEquals(code, error.get("code").textValue());
        assertTrue(error.get("message").textValue().contains(message), answer.body());
    }

    @Test
    void shouldSayWhatFailsBeforeTheFirstTokenAsAStatus() throws Exception {
        for (String stream : List.of("false", "true")) {
            HttpResponse<String> busy = post("/v1/completions", "{\"prompt\":\"refuse\",\"stream\":" + stream + "}");
            assertEquals(503, busy.statusCode());
            assertEquals("1", busy.headers().firstValue("retry-after").orElseThrow());
            assertEquals("1000", busy.headers().firstValue("retry-after-ms").orElseThrow());
            assertEquals("{\"error\":{\"message\":\"the queue is full: waiting=1, limit=1\",\"type\":\"server_error\",\"param\":null,"
                    + "\"code\":\"overloaded\"}}\n", busy.body());
        }
        assertEquals(500, post("/v1/completions", "{\"prompt\":\"throw\"}").statusCode());
        assertEquals(500, post("/v1/completions", "{\"prompt\":\"crash\"}").statusCode());
    }

    /** The stream says so and has no end that looks like one. */
    @Test
    void shouldSayWhatFailsLaterAsAnEvent() throws Exception {
        HttpResponse<String> answer = post("/v1/completions", "{\"prompt\":\"crash\",\"stream\":true}");
        assertEquals(200, answer.statusCode());
        assertTrue(answer.body().contains(" w1"), answer.body());
        assertTrue(answer.body().endsWith("\n\ndata: {\"error\":{\"message\":\"a fault of the server; its log has the details\","
                + "\"type\":\"server_error\",\"param\":null,\"code\":null}}\n\n"), answer.body());
        HttpResponse<String> vanished = post("/v1/completions", "{\"prompt\":\"vanish\",\"stream\":true}");
        assertEquals(500, vanished.statusCode(), "nothing had been sent");
        assertEquals(1, vanished.body().split("\"error\"", -1).length - 1, vanished.body());
    }

    @Test
    void shouldRefuseBodiesThatAreTooLarge() throws Exception {
        HttpResponse<String> answer = post("/v1/completions", "{\"prompt\":\"" + "x".repeat(1 << 20) + "\"}");
        assertEquals(413, answer.statusCode());
        assertTrue(answer.body().contains("\"code\":\"request_too_large\""), answer.body());
        assertEquals(200, post("/v1/completions", "{\"prompt\":\"" + "x".repeat(1 << 19) + "\"}").statusCode(), "one that a worker reads");
    }

    @Test
    void shouldNameWhatIsAllowed() throws Exception {
        HttpResponse<String> answer = server.http("GET", "/v1/completions");
        assertEquals(405, answer.statusCode());
        assertEquals("POST", answer.headers().firstValue("allow").orElseThrow());
        assertTrue(answer.body().contains("\"code\":\"method_not_allowed\""), answer.body());
    }

    @Test
    void shouldShowTheModel() throws Exception {
        for (String path : List.of("/v1/models/m/1", "/v1/models/m%2F1", "/v1/models/%6D%2f1")) {
            HttpResponse<String> answer = server.http("GET", path);
            assertEquals(200, answer.statusCode(), path);
            assertEquals("m/1", JSON.readTree(answer.body()).get("id").textValue());
        }
        for (String path : List.of("/v1/models/m", "/v1/models/m%2F1%2F", "/v1/models/m+1")) {
            HttpResponse<String> answer = server.http("GET", path);
            assertEquals(404, answer.statusCode(), path);
            assertTrue(answer.body().contains("\"code\":\"model_not_found\""), answer.body());
        }
    }

    @Test
    void shouldTokenize() throws Exception {
        assertEquals("{\"count\":2,\"max_model_len\":512,\"tokens\":[104,105],\"token_strs\":[\"h\",\"i\"]}\n",
                post("/tokenize", "{\"prompt\":\"hi\",\"return_token_strs\":true}").body());
        assertEquals("{\"count\":2,\"max_model_len\":512,\"tokens\":[104,105]}\n", post("/tokenize", "{\"content\":\"hi\"}").body());
        assertEquals("{\"prompt\":\"hi\",\"content\":\"hi\"}\n", post("/detokenize", "{\"tokens\":[104,105]}").body());
        assertEquals(400, post("/detokenize", "{\"tokens\":[104,1050]}").statusCode());
        assertEquals(400, post("/tokenize", "{}").statusCode());
    }

    @Test
    void shouldLetPagesOfAllowedOriginsAsk() throws Exception {
        try (RawHttp http = new RawHttp(server.port())) {
            RawHttp.Answer preflight = http.send("""
                    OPTIONS /v1/completions HTTP/1.1
                    Host: localhost
                    Origin: http://localhost:3000
                    Access-Control-Request-Method: POST
                    Access-Control-Request-Headers: content-type, authorization

                    """).answer(false);
            assertEquals(204, preflight.status());
            assertTrue(preflight.head().contains("access-control-allow-origin: http://localhost:3000\r\n"), preflight.head());
            assertTrue(preflight.head().contains("access-control-allow-headers: content-type, authorization\r\n"), preflight.head());
            assertTrue(preflight.head().contains("post"), preflight.head());
            RawHttp.Answer answer = http.send("GET /v1/models HTTP/1.1\nHost: localhost\nOrigin: http://localhost:3000\n\n").answer();
            assertTrue(answer.head().contains("access-control-allow-origin: http://localhost:3000\r\n"), answer.head());
            for (String header : List.of("x-request-id", "retry-after", "retry-after-ms")) {
                assertTrue(answer.head().matches("(?s).*access-control-expose-headers: [^\r]*\\b" + header + "\\b.*"), answer.head());
            }
            assertEquals(403, http.send("""
                    OPTIONS /v1/completions HTTP/1.1
                    Host: localhost
                    Origin: http://evil.example
                    Access-Control-Request-Method: POST

                    """).answer().status());
        }
    }
}
