package dev.tidestream.server.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.ai.chat.messages.SystemMessage;
import org.springframework.ai.chat.messages.UserMessage;
import org.springframework.ai.chat.model.ChatResponse;
import org.springframework.ai.chat.model.Generation;
import org.springframework.ai.chat.prompt.Prompt;
import org.springframework.ai.openai.OpenAiChatModel;
import org.springframework.ai.openai.OpenAiChatOptions;

import dev.tidestream.server.app.ServerConfig;
import dev.tidestream.server.app.TidestreamServer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Spring AI, without Spring Boot, chats with the embedded model, to which a file lends a template. */
class SpringAiIT {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Prompt PROMPT = new Prompt(List.of(new SystemMessage("Tell a story."), new UserMessage("Of a cat.")));

    @TempDir
    private static Path folder;

    private static TidestreamServer server;

    @BeforeAll
    static void start() throws Exception {
        Path template = folder.resolve("chat.jinja");
        Files.writeString(template, """
                {% for message in messages %}{{ message.role }} said: {{ message.content }}
                {% endfor %}{% if add_generation_prompt %}And then{% endif %}""");
        server = TidestreamServer.start(
                ServerConfig.DEFAULT.withPort(0).withChats(ServerConfig.Chats.DEFAULT.withTemplate(template)));
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static String url() {
        return "http://127.0.0.1:" + server.port() + "/v1";
    }

    /** What the server calls its model: Spring AI does not ask. */
    private static String served() {
        OpenAIClient client = OpenAIOkHttpClient.builder().baseUrl(url()).apiKey("none").build();
        try {
            return client.models().list().data().getFirst().id();
        } finally {
            client.close();
        }
    }

    private static OpenAiChatModel model(String name) {
        return OpenAiChatModel.builder().options(OpenAiChatOptions.builder().baseUrl(url()).apiKey("none").model(name)
                .temperature(0.0).maxTokens(8).maxRetries(0).streamUsage(true).build()).build();
    }

    @Test
    void shouldChatWholeAndStreamedAlike() {
        OpenAiChatModel model = model(served());
        ChatResponse whole = model.call(PROMPT);
        List<ChatResponse> pieces = Objects.requireNonNull(model.stream(PROMPT).collectList().block(PATIENCE));
        StringBuilder text = new StringBuilder();
        for (ChatResponse piece : pieces) {
            if (piece.getResult() != null && piece.getResult().getOutput().getText() != null) {
                text.append(piece.getResult().getOutput().getText());
            }
        }
        Generation answer = Objects.requireNonNull(whole.getResult());
        assertEquals(answer.getOutput().getText(), text.toString());
        assertTrue(pieces.size() > 2, "in pieces: " + pieces);
        assertEquals(8, whole.getMetadata().getUsage().getCompletionTokens());
        assertEquals(8, pieces.getLast().getMetadata().getUsage().getCompletionTokens());
        assertEquals(whole.getMetadata().getUsage().getPromptTokens(),
                pieces.getLast().getMetadata().getUsage().getPromptTokens());
        assertEquals("LENGTH", answer.getMetadata().getFinishReason());
    }

    @Test
    void shouldRaiseWhatTheServerRefuses() {
        RuntimeException refused = assertThrows(RuntimeException.class, () -> model("another").call(PROMPT));
        assertTrue(String.valueOf(refused.getMessage()).contains("does not exist"), refused.toString());
    }
}
