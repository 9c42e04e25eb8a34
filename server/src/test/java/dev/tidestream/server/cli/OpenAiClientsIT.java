package dev.tidestream.server.cli;

import java.util.ArrayList;
import java.util.List;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.RequestOptions;
import com.openai.core.http.StreamResponse;
import com.openai.errors.BadRequestException;
import com.openai.errors.NotFoundException;
import com.openai.models.chat.completions.ChatCompletionStreamOptions;
import com.openai.models.completions.Completion;
import com.openai.models.completions.CompletionChoice;
import com.openai.models.completions.CompletionCreateParams;
import com.openai.models.models.Model;
import dev.langchain4j.model.openai.OpenAiLanguageModel;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import dev.tidestream.server.app.ServerConfig;
import dev.tidestream.server.app.TidestreamServer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Clients that people have, against a server with the embedded model: what they ask for is answered, and is valid to them. */
class OpenAiClientsIT {
    /** A chunk of a completion has no reason to finish yet, which its class holds for invalid, whoever sends it. */
    private static final RequestOptions UNFINISHED = RequestOptions.builder().responseValidation(false).build();

    private static TidestreamServer server;
    private static OpenAIClient client;
    private static String model;

    @BeforeAll
    static void start() {
        server = TidestreamServer.start(ServerConfig.DEFAULT.withPort(0));
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

    private static CompletionCreateParams.Builder params(String prompt) {
        return CompletionCreateParams.builder().model(model).prompt(prompt).maxTokens(8).temperature(0.0).seed(1);
    }

    @Test
    void shouldShowTheModel() {
        Model shown = client.models().retrieve(model);
        assertEquals(model, shown.id());
        assertThrows(NotFoundException.class, () -> client.models().retrieve("another/model"));
    }

    @Test
    void shouldCompleteWholeAndStreamedAlike() {
        Completion whole = client.completions().create(params("Once upon a time").logprobs(2).build());
        StringBuilder text = new StringBuilder();
        List<String> tokens = new ArrayList<>();
        List<Completion> chunks = new ArrayList<>();
        try (StreamResponse<Completion> stream = client.completions().createStreaming(params("Once upon a time").logprobs(2)
                .streamOptions(ChatCompletionStreamOptions.builder().includeUsage(true).build()).build(), UNFINISHED)) {
            stream.stream().forEach(chunk -> {
                chunks.add(chunk);
                for (CompletionChoice choice : chunk.choices()) {
                    text.append(choice.text());
                    choice.logprobs().flatMap(CompletionChoice.Logprobs::tokens).ifPresent(tokens::addAll);
                }
            });
        }
        CompletionChoice choice = whole.choices().getFirst();
        assertEquals(choice.text(), text.toString());
        assertEquals(choice.logprobs().orElseThrow().tokens().orElseThrow(), tokens);
        assertEquals(8, tokens.size());
        assertEquals(whole.usage().orElseThrow(), chunks.getLast().usage().orElseThrow());
        assertEquals(8, whole.usage().orElseThrow().completionTokens());
        assertTrue(whole.systemFingerprint().orElseThrow().matches("ts_[0-9a-f]{12}"), whole.systemFingerprint().toString());
        assertEquals(whole.systemFingerprint(), chunks.getFirst().systemFingerprint());
    }

    /** What was generated is as likely when it is read as it was when it was made. */
    @Test
    void shouldScorePrompts() {
        Completion made = client.completions().create(params("Once upon a time").logprobs(1).echo(true).build());
        CompletionChoice first = made.choices().getFirst();
        Completion read = client.completions().create(params(first.text()).logprobs(1).echo(true).maxTokens(0).build());
        CompletionChoice second = read.choices().getFirst();
        assertEquals(first.text(), second.text());
        assertEquals(first.logprobs().orElseThrow().tokens(), second.logprobs().orElseThrow().tokens());
        assertEquals(first.logprobs().orElseThrow()._tokenLogprobs(), second.logprobs().orElseThrow()._tokenLogprobs());
        assertEquals(0, read.usage().orElseThrow().completionTokens());
    }

    @Test
    void shouldRefuseInWordsThatTheyRead() {
        BadRequestException refused = assertThrows(
                BadRequestException.class, () -> client.completions().create(params("x").suffix("y").build()));
        assertEquals("suffix", refused.param().orElseThrow());
        assertEquals("unsupported_parameter", refused.code().orElseThrow());
        BadRequestException tooLong = assertThrows(
                BadRequestException.class, () -> client.completions().create(params("word ".repeat(20_000)).build()));
        assertEquals("context_length_exceeded", tooLong.code().orElseThrow());
        assertTrue(String.valueOf(tooLong.getMessage()).contains("maximum context length"), tooLong.getMessage());
    }

    @Test
    void shouldServeLangChain4j() {
        OpenAiLanguageModel lang = OpenAiLanguageModel.builder().baseUrl(url()).apiKey("none").modelName(model).temperature(0.0).build();
        assertFalse(lang.generate("Once upon a time").content().isEmpty());
    }
}
