package dev.tidestream.server.cli;

import java.nio.file.Files;
import java.nio.file.Path;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.errors.NotFoundException;
import com.openai.models.responses.Response;
import com.openai.models.responses.ResponseCreateParams;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.server.app.ServerConfig;
import dev.tidestream.server.app.TidestreamServer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** With a data directory, responses survive a restart of the server. */
class StoredResponsesIT {
    @TempDir
    private Path folder;

    private interface Use {
        void of(OpenAIClient client) throws Exception;
    }

    private void withServer(Use use) throws Exception {
        Path template = folder.resolve("chat.jinja");
        Files.writeString(template, "{% for message in messages %}{{ message.role }} said: {{ message.content }}\n{% endfor %}");
        ServerConfig config = ServerConfig.DEFAULT.withPort(0).withDataDir(folder.resolve("data"))
                .withChats(ServerConfig.Chats.DEFAULT.withTemplate(template));
        try (TidestreamServer server = TidestreamServer.start(config)) {
            OpenAIClient client = OpenAIOkHttpClient.builder().baseUrl("http://127.0.0.1:" + server.port() + "/v1").apiKey("none")
                    .maxRetries(0)
                    .responseValidation(true).build();
            use.of(client);
            client.close();
        }
    }

    private static ResponseCreateParams.Builder create(String input) {
        return ResponseCreateParams.builder().input(input).maxOutputTokens(8).temperature(0.0);
    }

    @Test
    void shouldSurviveARestart() throws Exception {
        Response[] kept = new Response[3];
        withServer(client -> {
            kept[0] = client.responses().create(create("Of a cat.").build());
            kept[1] = client.responses().create(create("Of a dog.").build());
            kept[2] = client.responses().create(create("And then?").previousResponseId(kept[0].id()).build());
        });
        withServer(client -> {
            assertEquals(kept[0], client.responses().retrieve(kept[0].id()));
            Response again = client.responses().create(create("And then?").previousResponseId(kept[0].id()).build());
            assertEquals(kept[2].output().getFirst().asMessage().content(), again.output().getFirst().asMessage().content(),
                    "the same conversation");
            assertEquals(1, client.responses().inputItems().list(kept[1].id()).data().size());
            client.responses().delete(kept[1].id());
            assertThrows(NotFoundException.class, () -> client.responses().retrieve(kept[1].id()));
        });
        withServer(client -> {
            assertThrows(NotFoundException.class, () -> client.responses().retrieve(kept[1].id()));
            assertTrue(client.responses().retrieve(kept[2].id()).previousResponseId().isPresent());
        });
    }
}
