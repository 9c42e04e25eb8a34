package dev.tidestream.loadtest.wire.openai;

import java.net.URI;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

class ApiTest {
    @ParameterizedTest
    @CsvSource({
        "http://x:1, , completions, http://x:1/v1/completions",
        "http://x:1/, chat, chat, http://x:1/v1/chat/completions",
        "https://x/v1/, responses, responses, https://x/v1/responses",
        "http://x/api/v2, chat, chat, http://x/api/v2/chat/completions",
        "http://x/v1/chat/completions?a=b, , chat, http://x/v1/chat/completions?a=b",
        "http://x/v1/completions, completions, completions, http://x/v1/completions",
        "http://x/v1/responses, responses-ws, responses-ws, ws://x/v1/responses",
        "https://x/v1, responses-ws, responses-ws, wss://x/v1/responses",
        "ws://x/v1/responses, , responses-ws, ws://x/v1/responses"})
    void shouldFindTheEndpoint(String url, String wanted, String api, String endpoint) {
        Api.Endpoint found = Api.endpoint(URI.create(url), wanted == null ? null : Api.parse(wanted));
        assertEquals(api, found.api().wireName());
        assertEquals(URI.create(endpoint), found.url());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "http://x/v1/completions | chat | is the endpoint of completions, and chat is wanted: http://x/v1/completions",
        "http://x/v1/chat/completions | completions | is the endpoint of chat, and completions is wanted: http://x/v1/chat/completions",
        "ws://x/v1 | chat | is a WebSocket's address, and chat is spoken over HTTP: ws://x/v1",
        "gopher://x | chat | must begin with http, https, ws or wss: gopher://x"})
    void shouldSayWhatDoesNotFit(String url, String wanted, String message) {
        assertEquals(message, assertThrows(IllegalArgumentException.class, () -> Api.endpoint(URI.create(url),
                Api.parse(wanted))).getMessage());
    }

    @Test
    void shouldNameWhatThereIs() {
        assertEquals("must be one of chat, completions, responses, responses-ws: 'chats'",
                assertThrows(IllegalArgumentException.class, () -> Api.parse("chats")).getMessage());
    }
}
