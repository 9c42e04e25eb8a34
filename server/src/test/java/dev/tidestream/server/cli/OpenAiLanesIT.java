package dev.tidestream.server.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.ObjectMappers;
import com.openai.core.http.ResponseConnection;
import com.openai.core.http.ResponseWebSocketException;
import com.openai.core.http.ResponseWebSocketOptions;
import com.openai.core.http.WebSocketWriteNotAttempted;
import com.openai.models.responses.Response;
import com.openai.models.responses.ResponseCreateParams;
import com.openai.models.responses.ResponseStatus;
import com.openai.models.responses.ResponsesClientEvent;
import com.openai.models.responses.ResponsesServerEvent;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.server.app.ServerConfig;
import dev.tidestream.server.app.TidestreamServer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** OpenAI's own client has conversations on the lanes of one WebSocket, with the embedded model. */
class OpenAiLanesIT {
    private static final int TOKENS = 16;
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
        client = OpenAIOkHttpClient.builder().baseUrl("http://127.0.0.1:" + server.port() + "/v1").apiKey("none").maxRetries(0)
                .responseValidation(true).build();
        model = client.models().list().data().getFirst().id();
    }

    @AfterAll
    static void stop() {
        client.close();
        server.close();
    }

    private static ResponsesClientEvent.ResponseCreate.Builder create(String input) {
        return ResponsesClientEvent.ResponseCreate.builder().model(model).input(input).maxOutputTokens(TOKENS).temperature(0.0)
                .store(false);
    }

    private static ResponsesClientEvent event(ResponsesClientEvent.ResponseCreate.Builder create) {
        return ResponsesClientEvent.ofResponseCreate(create.build());
    }

    private static ResponsesClientEvent raw(String json) throws IOException {
        return ObjectMappers.jsonMapper().readValue(json, ResponsesClientEvent.class);
    }

    /** The client's socket takes one message after the other. */
    private static void send(Consumer<ResponsesClientEvent> socket, ResponsesClientEvent event) {
        while (true) {
            try {
                socket.accept(event);
                return;
            } catch (WebSocketWriteNotAttempted.Busy e) {
                Thread.onSpinWait(); // the one before is still being written
            }
        }
    }

    private static String text(Response response) {
        return response.output().getFirst().asMessage().content().getFirst().asOutputText().text();
    }

    private static String overHttp(String input, Optional<String> previous) {
        return text(client.responses().create(ResponseCreateParams.builder().model(model).input(input).maxOutputTokens(TOKENS)
                .temperature(0.0).previousResponseId(previous).build()));
    }

    @Test
    void shouldHaveTwoConversationsAndAFork() {
        try (ResponseConnection connection = client.responses().connect(); ResponseConnection.Lane cats = connection.lane("cats");
                ResponseConnection.Lane dogs = connection.lane("dogs"); ResponseConnection.Lane fork = connection.lane("fork")) {
            send(cats::send, event(create("Of a cat.")));
            send(dogs::send, event(create("Of a dog.")));
            Response cat = cats.finalResponse();
            Response dog = dogs.finalResponse();
            assertEquals(overHttp("Of a cat.", Optional.empty()), text(cat), "the same as over HTTP");
            assertEquals(overHttp("Of a dog.", Optional.empty()), text(dog));
            send(cats::send, event(create("And its kittens?").previousResponseId(cat.id())));
            send(fork::send, event(create("And its tail?").previousResponseId(cat.id())));
            Response kittens = cats.finalResponse();
            Response tail = fork.finalResponse();
            Response stored = client.responses().create(
                    ResponseCreateParams.builder().model(model).input("Of a cat.").maxOutputTokens(TOKENS).temperature(0.0).build());
            assertEquals(overHttp("And its kittens?", Optional.of(stored.id())), text(kittens));
            assertEquals(overHttp("And its tail?", Optional.of(stored.id())), text(tail));
        }
    }

    @Test
    void shouldStreamWithoutALane() {
        try (ResponseConnection connection = client.responses().connect()) {
            send(connection::send, event(create("Of a bird.")));
            StringBuilder text = new StringBuilder();
            Response last = null;
            while (last == null) {
                ResponsesServerEvent event = connection.receive();
                event.validate();
                event.responseOutputTextDelta().ifPresent(delta -> text.append(delta.delta()));
                last = event.responseIncomplete().map(end -> end.response()).orElse(null);
            }
            assertEquals(text(last), text.toString());
            assertEquals(TOKENS, last.usage().orElseThrow().outputTokens());
        }
    }

    @Test
    void shouldTellALaneOfItsErrorAndNoOther() {
        try (ResponseConnection connection = client.responses().connect(); ResponseConnection.Lane good = connection.lane("good");
                ResponseConnection.Lane bad = connection.lane("bad")) {
            send(good::send, event(create("Of a fish.")));
            send(bad::send, event(create("Of a whale.").previousResponseId("resp_unknown")));
            ResponseWebSocketException error = assertThrows(ResponseWebSocketException.class, bad::finalResponse);
            ResponsesServerEvent.ResponseWsError told = error.event().error().orElseThrow().validate();
            assertEquals("previous_response_not_found", told.error().code().orElseThrow());
            assertEquals(Optional.of("bad"), told.streamId());
            assertEquals(Optional.of(400L), told.status());
            assertEquals(overHttp("Of a fish.", Optional.empty()), text(good.finalResponse()));
            send(bad::send, event(create("Of a whale.")));
            assertEquals(overHttp("Of a whale.", Optional.empty()), text(bad.finalResponse()));
        }
    }

    @Test
    void shouldGiveCreditAndCancel() throws Exception {
        try (ResponseConnection connection = client.responses().connect(); ResponseConnection.Lane paid = connection.lane("paid");
                ResponseConnection.Lane other = connection.lane("other")) {
            send(paid::send, raw("""
                    {"type":"response.create","stream_id":"paid","model":"%s","input":"Of a horse.","max_output_tokens":200,"temperature":0,
                    "store":false,"tidestream":{"credit":4}}""".formatted(model)));
            List<ResponsesServerEvent> events = new ArrayList<>();
            do {
                events.add(paid.receive());
            } while (events.getLast().responseContentPartAdded().isEmpty());
            send(other::send, event(create("Of a cow.")));
            other.finalResponse();
            send(connection::send, raw("{\"type\":\"tidestream.credit\",\"stream_id\":\"paid\",\"n\":4}"));
            send(connection::send, raw("{\"type\":\"response.cancel\",\"stream_id\":\"paid\"}"));
            Response cancelled = paid.finalResponse();
            assertEquals(ResponseStatus.CANCELLED, cancelled.status().orElseThrow());
            assertTrue(text(cancelled).length() < overHttp("Of a horse.", Optional.empty()).length() * 2, text(cancelled));
        }
    }

    @Test
    void shouldWarmUp() {
        ResponseWebSocketOptions options =
                ResponseWebSocketOptions.builder().putHeader("OpenAI-Beta", "responses_websockets=2026-02-06").build();
        try (ResponseConnection connection = client.responses().connect(options); ResponseConnection.Lane lane = connection.lane("warm")) {
            send(lane::send, event(create("Of a mouse.").generate(false)));
            Response warm = lane.finalResponse();
            assertTrue(warm.output().isEmpty());
            send(lane::send, event(create("Tell on.").previousResponseId(warm.id())));
            assertEquals(TOKENS, lane.finalResponse().usage().orElseThrow().outputTokens());
        }
    }
}
