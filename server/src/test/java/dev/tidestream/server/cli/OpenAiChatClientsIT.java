package dev.tidestream.server.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.http.StreamResponse;
import com.openai.errors.BadRequestException;
import com.openai.errors.NotFoundException;
import com.openai.helpers.ChatCompletionAccumulator;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletionChunk;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.chat.completions.ChatCompletionStreamOptions;
import com.openai.models.responses.Response;
import com.openai.models.responses.ResponseCreateParams;
import com.openai.models.responses.ResponseIncludable;
import com.openai.models.responses.ResponseRetrieveParams;
import com.openai.models.responses.ResponseStreamEvent;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.openai.OpenAiStreamingChatModel;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.server.app.ServerConfig;
import dev.tidestream.server.app.TidestreamServer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Clients that people have chat with the embedded model, to which a file lends a template; what they read is valid to them. */
class OpenAiChatClientsIT {
    @TempDir
    private static Path folder;

    private static TidestreamServer server;
    private static OpenAIClient client;
    private static String model;

    @BeforeAll
    static void start() throws Exception {
        Path template = folder.resolve("chat.jinja");
        Files.writeString(template, """
                {% for message in messages %}{{ message.role }} said: {{ message.content }}
                {% endfor %}{% if add_generation_prompt %}And then{% endif %}""");
        server = TidestreamServer.start(
                ServerConfig.DEFAULT.withPort(0).withChats(ServerConfig.Chats.DEFAULT.withTemplate(template)));
        client = OpenAIOkHttpClient.builder().baseUrl(url()).apiKey("none").maxRetries(0).responseValidation(true).build();
        model = client.models().list().data().getFirst().id();
    }

    @AfterAll
    static void stop() {
        client.close();
        server.close();
    }

    private static String url() {
        return "http://127.0.0.1:" + server.port() + "/v1";
    }

    private static ChatCompletionCreateParams.Builder chat() {
        return ChatCompletionCreateParams.builder().model(model).addSystemMessage("Tell a story.").addUserMessage("Of a cat.")
                .maxCompletionTokens(8).temperature(0.0).logprobs(true).topLogprobs(2);
    }

    @Test
    void shouldChatWholeAndStreamedAlike() {
        ChatCompletion whole = client.chat().completions().create(chat().build());
        ChatCompletionAccumulator streamed = ChatCompletionAccumulator.create();
        try (StreamResponse<ChatCompletionChunk> stream = client.chat().completions().createStreaming(
                chat().streamOptions(ChatCompletionStreamOptions.builder().includeUsage(true).build()).build())) {
            stream.stream().forEach(streamed::accumulate);
        }
        ChatCompletion put = streamed.chatCompletion();
        assertEquals(whole.choices().getFirst().message().content(), put.choices().getFirst().message().content());
        assertEquals(whole.choices().getFirst().logprobs().orElseThrow().content(),
                put.choices().getFirst().logprobs().orElseThrow().content());
        assertEquals(8, whole.choices().getFirst().logprobs().orElseThrow().content().orElseThrow().size());
        assertEquals(whole.usage(), put.usage());
        assertEquals(8, whole.usage().orElseThrow().completionTokens());
        assertEquals(whole.choices().getFirst().finishReason(), put.choices().getFirst().finishReason());
    }

    @Test
    void shouldRefuseAConversationThatNeverFits() {
        BadRequestException tooLong = assertThrows(BadRequestException.class,
                () -> client.chat().completions().create(chat().addUserMessage("word ".repeat(20_000)).build()));
        assertEquals("context_length_exceeded", tooLong.code().orElseThrow());
        assertTrue(String.valueOf(tooLong.getMessage()).contains("maximum context length"), tooLong.getMessage());
    }

    private static ResponseCreateParams.Builder response(String input) {
        return ResponseCreateParams.builder().model(model).input(input).maxOutputTokens(16).temperature(0.0)
                .addInclude(ResponseIncludable.MESSAGE_OUTPUT_TEXT_LOGPROBS);
    }

    private static String text(Response response) {
        return response.output().getFirst().asMessage().content().getFirst().asOutputText().text();
    }

    @Test
    void shouldRespondWholeAndStreamedAlike() {
        Response whole = client.responses().create(response("Of a dog.").build());
        List<ResponseStreamEvent> events = new ArrayList<>();
        try (StreamResponse<ResponseStreamEvent> stream = client.responses().createStreaming(response("Of a dog.").build())) {
            stream.stream().forEach(events::add);
        }
        StringBuilder text = new StringBuilder();
        events.forEach(event -> event.outputTextDelta().ifPresent(delta -> text.append(delta.delta())));
        assertEquals(text(whole), text.toString());
        Response last = events.getLast().incomplete().orElseThrow().response();
        assertEquals(text(whole), text(last));
        assertEquals(whole.usage(), last.usage());
        assertEquals(last, client.responses().retrieve(last.id()));
        List<ResponseStreamEvent> again = new ArrayList<>();
        try (StreamResponse<ResponseStreamEvent> stream = client.responses()
                .retrieveStreaming(ResponseRetrieveParams.builder().responseId(last.id()).startingAfter(3).build())) {
            stream.stream().forEach(again::add);
        }
        assertEquals(events.subList(4, events.size()), again);
    }

    @Test
    void shouldGoOnFromAResponse() {
        Response first = client.responses().create(response("Of a bird.").build());
        Response second = client.responses().create(response("And its nest.").previousResponseId(first.id()).build());
        Response alone = client.responses().create(response("And its nest.").build());
        assertTrue(second.usage().orElseThrow().inputTokens() > alone.usage().orElseThrow().inputTokens());
        assertEquals(1, client.responses().inputItems().list(second.id()).data().size());
        client.responses().delete(first.id());
        assertThrows(NotFoundException.class, () -> client.responses().retrieve(first.id()));
        BadRequestException lost = assertThrows(BadRequestException.class,
                () -> client.responses().create(response("And?").previousResponseId(first.id()).build()));
        assertEquals("previous_response_not_found", lost.code().orElseThrow());
    }

    @Test
    void shouldStreamToLangChain4j() throws Exception {
        OpenAiStreamingChatModel lang = OpenAiStreamingChatModel.builder().baseUrl(url()).apiKey("none").modelName(model)
                .temperature(0.0).maxTokens(8).build();
        StringBuilder pieces = new StringBuilder();
        CompletableFuture<ChatResponse> done = new CompletableFuture<>();
        lang.chat("Of a fish.", new StreamingChatResponseHandler() {
            @Override
            public void onPartialResponse(String piece) {
                pieces.append(piece);
            }

            @Override
            public void onCompleteResponse(ChatResponse response) {
                done.complete(response);
            }

            @Override
            public void onError(Throwable error) {
                done.completeExceptionally(error);
            }
        });
        ChatResponse response = done.get(60, TimeUnit.SECONDS);
        assertEquals(response.aiMessage().text(), pieces.toString());
        assertEquals(8, response.tokenUsage().outputTokenCount());
    }
}
