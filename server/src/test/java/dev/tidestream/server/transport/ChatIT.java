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

/** {@code POST /v1/chat/completions} over real sockets, with an engine that follows a script. */
@ExtendWith(NettyLeakCheck.class)
class ChatIT {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String USER = "{\"role\":\"user\",\"content\":\"count\"}";
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

    private static String request(String messages, String more) {
        return "{\"messages\":[" + messages + "],\"max_tokens\":2" + (more.isEmpty() ? "" : ",") + more + "}";
    }

    private static JsonNode chat(String messages, String more) throws Exception {
        HttpResponse<String> answer = post("/v1/chat/completions", request(messages, more));
        assertEquals(200, answer.statusCode(), answer.body());
        return JSON.readTree(answer.body());
    }

    private static List<JsonNode> stream(String more) throws Exception {
        HttpResponse<String> answer = post("/v1/chat/completions", request(USER, "\"stream\":true" + more));
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

    /** The prompt that the template made of these messages. */
    private static String prompt(String messages, String more) throws Exception {
        HttpResponse<String> answer = post("/apply-template", request(messages, more));
        assertEquals(200, answer.statusCode(), answer.body());
        return JSON.readTree(answer.body()).get("prompt").textValue();
    }

    @Test
    void shouldAnswerWhole() throws Exception {
        JsonNode answer = chat(USER, "\"seed\":5,\"store\":true,\"service_tier\":\"auto\",\"response_format\":{\"type\":\"text\"}");
        assertTrue(answer.get("id").textValue().startsWith("chatcmpl-"));
        assertEquals("chat.completion", answer.get("object").textValue());
        assertEquals("[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\" w0 w1\",\"refusal\":null},\"logprobs\":null,"
                + "\"finish_reason\":\"length\"}]", answer.get("choices").toString());
        assertEquals(5, answer.get("usage").get("total_tokens").intValue());
        assertEquals("{\"weights_version\":1,\"seed\":5}", answer.get("tidestream").toString());
    }

    @Test
    void shouldBeginWithTheRoleAndEndWithTheFinish() throws Exception {
        List<JsonNode> chunks = stream("");
        assertEquals(
                List.of(
                        "[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"logprobs\":null,\"finish_reason\":null}]",
                        "[{\"index\":0,\"delta\":{\"content\":\" w0\"},\"logprobs\":null,\"finish_reason\":null}]",
                        "[{\"index\":0,\"delta\":{\"content\":\" w1\"},\"logprobs\":null,\"finish_reason\":null}]",
                        "[{\"index\":0,\"delta\":{},\"logprobs\":null,\"finish_reason\":\"length\"}]"),
                chunks.stream().map(chunk -> chunk.get("choices").toString()).toList());
        for (JsonNode chunk : chunks) {
            assertFalse(chunk.has("usage"), chunk.toString());
            assertEquals("chat.completion.chunk", chunk.get("object").textValue());
            for (String same : List.of("id", "created", "model", "system_fingerprint")) {
                assertEquals(chunks.getFirst().get(same), chunk.get(same));
            }
        }
    }

    @Test
    void shouldMixChoicesAndEndWithTheUsage() throws Exception {
        List<JsonNode> chunks = stream(",\"n\":3,\"stream_options\":{\"include_usage\":true},\"return_token_ids\":true");
        JsonNode last = chunks.removeLast();
        assertEquals("[]", last.get("choices").toString());
        assertEquals(9, last.get("usage").get("total_tokens").intValue(), "the prompt once");
        chunks.forEach(chunk -> assertTrue(chunk.get("usage").isNull(), chunk.toString()));
        assertEquals(1, chunks.stream().filter(chunk -> chunk.has("prompt_token_ids")).count());
        for (int choice = 0; choice < 3; choice++) {
            int index = choice;
            List<JsonNode> own = chunks.stream().map(chunk -> chunk.get("choices").get(0))
                    .filter(c -> c.get("index").intValue() == index).toList();
            assertEquals("assistant", own.getFirst().get("delta").get("role").textValue());
            assertEquals("length", own.getLast().get("finish_reason").textValue());
            assertEquals(4, own.size());
        }
    }

    @Test
    void shouldRenderWhatWasSaid() throws Exception {
        assertEquals("system:s count!", prompt("""
                {"role":"developer","content":"s "},{"role":"user","content":[{"type":"text","text":"count"}]}""",
                "\"chat_template_kwargs\":{\"loud\":true}"));
        String tool = "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"parameters\":{}}}]";
        assertEquals("[f]count", prompt(USER, tool));
        assertEquals("[f]count", prompt(USER, tool + ",\"tool_choice\":\"auto\",\"parallel_tool_calls\":false"));
        assertEquals("count", prompt(USER, tool + ",\"tool_choice\":\"none\""));
        assertEquals("count>", prompt(USER, "\"chat_template_kwargs\":{\"more\":1}"));
        assertEquals("count", prompt(USER, "\"chat_template_kwargs\":{\"more\":1},\"add_generation_prompt\":false"));
        String assistant = USER + ",{\"role\":\"assistant\",\"content\":\"one\"}";
        assertEquals("countassistant:one!", prompt(assistant, "\"add_generation_prompt\":false,\"chat_template_kwargs\":{\"loud\":1}"));
        assertEquals("countassistant:one", prompt(assistant, "\"continue_final_message\":true,\"chat_template_kwargs\":{\"loud\":1}"));
    }

    @Test
    void shouldCountTokensOfAConversation() throws Exception {
        assertEquals("{\"count\":2,\"max_model_len\":512,\"tokens\":[104,105]}\n",
                post("/tokenize", "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}").body());
        JsonNode answer = chat("{\"role\":\"user\",\"content\":\"hi\"}", "\"return_token_ids\":true");
        assertEquals("[104,105]", answer.get("prompt_token_ids").toString());
        assertEquals("[100,101]", answer.get("choices").get(0).get("token_ids").toString());
    }

    /** 512 of context, 64 for who names no limit. */
    @Test
    void shouldGoToTheEndOfTheContextWithoutALimit() throws Exception {
        String open = "{\"messages\":[{\"role\":\"user\",\"content\":\"%s\"}]}";
        JsonNode usage = JSON.readTree(post("/v1/chat/completions", open.formatted("a")).body()).get("usage");
        assertEquals(64, usage.get("completion_tokens").intValue());
        usage = JSON.readTree(post("/v1/chat/completions", open.formatted("a".repeat(500))).body()).get("usage");
        assertEquals(12, usage.get("completion_tokens").intValue());
        HttpResponse<String> full = post("/v1/chat/completions", open.formatted("a".repeat(512)));
        assertEquals(400, full.statusCode());
        assertTrue(full.body().contains("This model's maximum context length is 512 tokens. However, your messages resulted in "
                + "512 tokens."),
                full.body());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '\0', value = {
        // messages | more | param | code | message
        "|\"x\":1|\"messages\"|invalid_value|not empty",
        "7||\"messages[0]\"|invalid_type|an object",
        "{\"content\":\"a\"}||\"messages[0].role\"|missing_field|role",
        "{\"role\":\"user\",\"content\":7}||\"messages[0].content\"|invalid_type|a string or an array",
        "{\"role\":\"user\",\"content\":[{\"type\":\"image_url\"}]}||\"messages[0].content[0].type\"|unsupported_parameter|image_url",
        "{\"role\":\"fail\",\"content\":\"a\"}||\"messages\"|refused_by_chat_template|no role of that name",
        "{\"role\":\"odd\",\"content\":\"a\"}||\"messages\"|chat_template_failed|line",
        "{\"role\":\"user\",\"content\":\"a\"}|\"response_format\":{\"type\":\"json_object\"}|\"response_format.type\"|"
        + "unsupported_parameter|json_object",
        "{\"role\":\"user\",\"content\":\"a\"}|\"tool_choice\":\"required\"|\"tool_choice\"|unsupported_parameter|required",
        "{\"role\":\"user\",\"content\":\"a\"}|\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"f\"}}|"
        + "\"tool_choice\"|unsupported_parameter|tool_choice",
        "{\"role\":\"user\",\"content\":\"a\"}|\"functions\":[{\"name\":\"f\"}]|\"functions\"|unsupported_parameter|functions",
        "{\"role\":\"user\",\"content\":\"a\"}|\"top_logprobs\":2|\"top_logprobs\"|invalid_value|logprobs",
        "{\"role\":\"user\",\"content\":\"a\"}|\"logprobs\":1|\"logprobs\"|invalid_type|a boolean",
        "{\"role\":\"user\",\"content\":\"a\"}|\"chat_template_kwargs\":{\"messages\":1}|\"messages\"|invalid_value|messages",
        "{\"role\":\"user\",\"content\":\"a\"}|\"continue_final_message\":true,\"add_generation_prompt\":true|"
        + "\"continue_final_message\"|invalid_value|both",
    })
    void shouldRefuseByName(String messages, String more, String param, String code, String message) throws Exception {
        HttpResponse<String> answer = post(
                "/v1/chat/completions", request(messages == null ? "" : messages, more == null ? "" : more));
        assertEquals(400, answer.statusCode(), answer.body());
        JsonNode error = JSON.readTree(answer.body()).get("error");
        assertEquals(param, error.get("param").toString());
        assertEquals(code, error.get("code").textValue());
        assertTrue(error.get("message").textValue().contains(message), answer.body());
    }

    @Test
    void shouldSayWhatFailsLaterAsAnEvent() throws Exception {
        HttpResponse<String> answer =
                post("/v1/chat/completions", request("{\"role\":\"user\",\"content\":\"crash\"}", "\"stream\":true").replace(":2", ":9"));
        assertEquals(200, answer.statusCode());
        assertTrue(answer.body().endsWith("\n\ndata: {\"error\":{\"message\":\"a fault of the server; its log has the details\","
                + "\"type\":\"server_error\",\"param\":null,\"code\":null}}\n\n"), answer.body());
    }
}
