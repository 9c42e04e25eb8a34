package dev.tidestream.server.transport;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** {@code /v1/responses} over real sockets, with an engine that follows a script. */
@ExtendWith(NettyLeakCheck.class)
class ResponsesIT {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final List<String> TYPES = List.of("response.created", "response.in_progress", "response.output_item.added",
            "response.content_part.added", "response.output_text.delta", "response.output_text.delta", "response.output_text.done",
            "response.content_part.done", "response.output_item.done", "response.incomplete");
    private TestServer server;
    private HttpClient client;

    @BeforeEach
    void start() throws Exception {
        server = new TestServer();
        client = HttpClient.newHttpClient();
    }

    @AfterEach
    void stop() throws Exception {
        client.close();
        server.close();
    }

    private HttpRequest request(String method, String path, String body) {
        return HttpRequest.newBuilder(URI.create("http://localhost:" + server.port() + "/v1/responses" + path))
                .method(method, HttpRequest.BodyPublishers.ofString(body)).build();
    }

    private HttpResponse<String> send(String method, String path, String body) throws Exception {
        return client.send(request(method, path, body), HttpResponse.BodyHandlers.ofString());
    }

    private JsonNode ok(String method, String path, String body) throws Exception {
        HttpResponse<String> answer = send(method, path, body);
        assertEquals(200, answer.statusCode(), answer.body());
        return JSON.readTree(answer.body());
    }

    private JsonNode create(String body) throws Exception {
        return ok("POST", "", body);
    }

    /** The data of all events, each under its own name. */
    private static List<JsonNode> events(String body) throws IOException {
        List<JsonNode> events = new ArrayList<>();
        for (String event : body.split("\n\n", -1)) {
            if (event.startsWith("event: ")) {
                String[] lines = event.split("\n", -1);
                JsonNode data = JSON.readTree(lines[1].substring("data: ".length()));
                assertEquals("event: " + data.get("type").textValue(), lines[0]);
                events.add(data);
            }
        }
        return events;
    }

    private static List<String> types(List<JsonNode> events) {
        return events.stream().map(event -> event.get("type").textValue()).toList();
    }

    @Test
    void shouldAnswerWhole() throws Exception {
        JsonNode answer = create("""
                {"model":"m/1","input":"count","max_output_tokens":2,"temperature":0.7,"seed":5,"metadata":{"a":"b"},"unknown":1}""");
        assertTrue(answer.get("id").textValue().startsWith("resp_"));
        assertEquals("incomplete", answer.get("status").textValue());
        assertEquals("{\"reason\":\"max_output_tokens\"}", answer.get("incomplete_details").toString());
        JsonNode item = answer.get("output").get(0);
        assertEquals("[{\"type\":\"output_text\",\"text\":\" w0 w1\",\"annotations\":[],\"logprobs\":[]}]", item.get("content").toString());
        assertEquals(0.7, answer.get("temperature").doubleValue());
        assertEquals("{\"input_tokens\":3,\"input_tokens_details\":{\"cached_tokens\":0,\"cache_write_tokens\":0},\"output_tokens\":2,"
                + "\"output_tokens_details\":{\"reasoning_tokens\":0},\"total_tokens\":5}", answer.get("usage").toString());
        assertEquals("{\"a\":\"b\"}", answer.get("metadata").toString());
        assertEquals("{\"weights_version\":1,\"seed\":5,\"system_fingerprint\":\"ts_1\"}", answer.get("tidestream").toString());
        for (String name : List.of("error", "instructions", "parallel_tool_calls", "tool_choice", "tools", "top_p", "background",
                "completed_at", "max_tool_calls", "previous_response_id", "reasoning", "store", "text", "truncation", "user")) {
            assertTrue(answer.has(name), name);
        }
    }

    @Test
    void shouldStreamNumberedEvents() throws Exception {
        HttpResponse<String> answer = send("POST", "", "{\"input\":\"count\",\"max_output_tokens\":2,\"stream\":true}");
        assertEquals("text/event-stream; charset=utf-8", answer.headers().firstValue("content-type").orElseThrow());
        assertTrue(answer.body().endsWith("data: [DONE]\n\n"), answer.body());
        List<JsonNode> events = events(answer.body());
        assertEquals(TYPES, types(events));
        assertEquals(IntStream.range(0, TYPES.size()).boxed().toList(),
                events.stream().map(event -> event.get("sequence_number").intValue()).toList());
        assertTrue(events.getFirst().get("response").get("usage").isNull());
        assertEquals("{\"weights_version\":1,\"seq\":1,\"token\":101}", events.get(5).get("tidestream").toString());
        assertEquals(" w0 w1", events.get(6).get("text").textValue());
        JsonNode last = events.getLast().get("response");
        assertEquals(last, ok("GET", "/" + last.get("id").textValue(), ""), "what is kept is what was said");
        HttpResponse<String> again = send("GET", "/" + last.get("id").textValue() + "?stream=true&starting_after=4", "");
        assertEquals(events.subList(5, events.size()), events(again.body()), "the same from there on");
        assertTrue(again.body().endsWith("data: [DONE]\n\n"), again.body());
    }

    @Test
    void shouldGoOnFromAnAnswer() throws Exception {
        String first = create("{\"input\":\"a\",\"max_output_tokens\":1,\"instructions\":\"be brief \"}").get("id").textValue();
        String second = create("{\"input\":\"b\",\"max_output_tokens\":1,\"previous_response_id\":\"" + first + "\"}").get("id")
                .textValue();
        assertEquals(List.of("system:be brief a", "aassistant: w0b"), server.engine.prompts(), "instructions are of one request");
        create("{\"input\":[{\"type\":\"function_call\",\"call_id\":\"c\",\"name\":\"f\",\"arguments\":\"{}\"},"
                + "{\"type\":\"function_call_output\",\"call_id\":\"c\",\"output\":\"42\"}],\"max_output_tokens\":1,"
                + "\"tools\":[{\"type\":\"function\",\"name\":\"f\",\"parameters\":{}}],\"previous_response_id\":\"" + second + "\"}");
        assertEquals("[f]aassistant: w0bassistant: w0assistant:tool:42", server.engine.prompts().getLast());
    }

    @Test
    void shouldForgetWhatItIsTold() throws Exception {
        String kept = create("{\"input\":\"a\",\"max_output_tokens\":1}").get("id").textValue();
        assertEquals("{\"id\":\"%s\",\"object\":\"response\",\"deleted\":true}".formatted(kept), ok("DELETE", "/" + kept, "").toString());
        String unkept = create("{\"input\":\"a\",\"max_output_tokens\":1,\"store\":false}").get("id").textValue();
        for (String id : List.of(kept, unkept, "resp_none", "x%2500")) {
            HttpResponse<String> unknown = send("GET", "/" + id, "");
            assertEquals(404, unknown.statusCode(), unknown.body());
            assertTrue(unknown.body().contains("\"code\":null"), unknown.body());
        }
        assertEquals(404, send("DELETE", "/" + kept, "").statusCode());
        assertEquals(404, send("POST", "/" + kept + "/cancel", "").statusCode());
        assertEquals(404, send("POST", "/" + kept, "").statusCode());
        HttpResponse<String> answer = send("POST", "", "{\"input\":\"b\",\"previous_response_id\":\"" + kept + "\"}");
        assertEquals(400, answer.statusCode());
        assertTrue(answer.body().contains("\"param\":\"previous_response_id\",\"code\":\"previous_response_not_found\""), answer.body());
    }

    /** Three are kept. */
    @Test
    void shouldForgetWhatWasNotUsedForLongest() throws Exception {
        List<String> ids = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            ids.add(create("{\"input\":\"a\",\"max_output_tokens\":1}").get("id").textValue());
            assertEquals(200, send("GET", "/" + ids.getFirst(), "").statusCode(), "used each time");
        }
        assertEquals(404, send("GET", "/" + ids.get(1), "").statusCode());
        assertEquals(200, send("GET", "/" + ids.get(3), "").statusCode());
    }

    @Test
    void shouldListItems() throws Exception {
        String id = create("{\"input\":[{\"role\":\"user\",\"content\":\"a\"},{\"type\":\"message\",\"role\":\"assistant\",\"content\":"
                + "[{\"type\":\"output_text\",\"text\":\"b\"}]},{\"role\":\"user\",\"content\":[{\"type\":\"input_text\","
                + "\"text\":\"c\"}]}],"
                + "\"max_output_tokens\":1}").get("id").textValue();
        JsonNode list = ok("GET", "/" + id + "/input_items?order=asc&limit=2", "");
        assertEquals(2, list.get("data").size());
        assertTrue(list.get("has_more").booleanValue());
        assertEquals("[{\"type\":\"input_text\",\"text\":\"a\"}]", list.get("data").get(0).get("content").toString());
        JsonNode rest = ok("GET", "/" + id + "/input_items?order=asc&after=" + list.get("last_id").textValue(), "");
        assertEquals(1, rest.get("data").size());
        assertFalse(rest.get("has_more").booleanValue());
        assertEquals(400, send("GET", "/" + id + "/input_items?limit=x", "").statusCode());
    }

    @Test
    void shouldCancelAndTellWhoFollows() throws Exception {
        HttpResponse<InputStream> streamed = client.send(
                request("POST", "", "{\"input\":\"hold\",\"stream\":true}"), HttpResponse.BodyHandlers.ofInputStream());
        String id = streamed.headers().firstValue("x-request-id").orElseThrow();
        CompletableFuture<HttpResponse<String>> follower =
                client.sendAsync(request("GET", "/" + id + "?stream=true", ""), HttpResponse.BodyHandlers.ofString());
        assertEquals("in_progress", ok("GET", "/" + id, "").get("status").textValue());
        assertEquals("cancelled", ok("POST", "/" + id + "/cancel", "{}").get("status").textValue());
        server.engine.await(() -> server.engine.running() == 0);
        List<JsonNode> events = events(new String(streamed.body().readAllBytes(), StandardCharsets.UTF_8));
        assertEquals("cancelled", events.getLast().get("response").get("status").textValue());
        assertEquals(events, events(follower.get().body()));
        assertEquals("cancelled", ok("POST", "/" + id + "/cancel", "{}").get("status").textValue(), "again does nothing");
    }

    @Test
    void shouldEndAStreamThatFails() throws Exception {
        HttpResponse<String> answer = send("POST", "", "{\"input\":\"crash\",\"stream\":true}");
        assertEquals(200, answer.statusCode());
        List<JsonNode> events = events(answer.body());
        assertEquals("response.failed", events.getLast().get("type").textValue());
        assertEquals("server_error", events.getLast().get("response").get("error").get("code").textValue());
        assertFalse(answer.body().contains("[DONE]"), answer.body());
        assertEquals(503, send("POST", "", "{\"input\":\"refuse\",\"stream\":true}").statusCode(), "before anything was said");
        HttpResponse<String> whole = send("POST", "", "{\"input\":\"crash\"}");
        assertEquals(500, whole.statusCode());
        JsonNode kept = ok("GET", "/" + whole.headers().firstValue("x-request-id").orElseThrow(), "");
        assertEquals("failed", kept.get("status").textValue(), "it is kept, with its error");
        assertEquals("server_error", kept.get("error").get("code").textValue());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '\0', value = {
        // body | param | code
        "{}|\"input\"|missing_field",
        "{\"input\":7}|\"input\"|invalid_type",
        "{\"input\":[]}|\"input\"|invalid_value",
        "{\"input\":[7]}|\"input[0]\"|invalid_type",
        "{\"input\":[{\"type\":\"item_reference\",\"id\":\"x\"}]}|\"input[0].type\"|unsupported_parameter",
        "{\"input\":[{\"role\":\"user\",\"content\":[{\"type\":\"input_image\"}]}]}|\"input[0].content[0].type\"|unsupported_parameter",
        "{\"input\":[{\"role\":\"function\",\"content\":\"a\"}]}|\"input\"|refused_by_chat_template",
        "{\"input\":[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"usr\",\"content\":\"a\"}]}|\"input[1].role\"|invalid_value",
        "{\"input\":[{\"role\":\"\",\"content\":\"a\"}]}|\"input[0].role\"|invalid_value",
        "{\"input\":[{\"content\":\"a\"}]}|\"input[0].role\"|missing_field",
        "{\"input\":\"a\",\"background\":true}|\"background\"|unsupported_parameter",
        "{\"input\":\"a\",\"conversation\":\"c\"}|\"conversation\"|unsupported_parameter",
        "{\"input\":\"a\",\"text\":{\"format\":{\"type\":\"json_object\"}}}|\"text.format.type\"|unsupported_parameter",
        "{\"input\":\"a\",\"tools\":[{\"type\":\"web_search\"}]}|\"tools[0].type\"|unsupported_parameter",
        "{\"input\":\"a\",\"tool_choice\":\"required\"}|\"tool_choice\"|unsupported_parameter",
        "{\"input\":\"a\",\"truncation\":\"auto\"}|\"truncation\"|unsupported_parameter",
        "{\"input\":\"a\",\"metadata\":{\"a\":1}}|\"metadata.a\"|invalid_type",
    })
    void shouldRefuseByName(String body, String param, String code) throws Exception {
        HttpResponse<String> answer = send("POST", "", body);
        assertEquals(400, answer.statusCode(), answer.body());
        JsonNode error = JSON.readTree(answer.body()).get("error");
        assertEquals(param, error.get("param").toString());
        assertEquals(code, error.get("code").textValue());
    }
}
