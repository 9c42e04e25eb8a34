package dev.tidestream.loadtest.wire.openai;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

import dev.tidestream.protocol.JsonInput;

/**
 * An error as servers tell it.
 *
 * @param code the server's word for it, or {@code http_STATUS}
 * @param message for people
 */
record Told(String code, String message) {
    static final ObjectMapper JSON = new ObjectMapper(JsonInput.unboundedFactory());
    private static final int MAX_CODE_CHARS = 60;
    private static final int MAX_MESSAGE_CHARS = 300;

    /** An answer with a status that is not 200; its body may be anything. */
    static Told ofBody(int status, String body) {
        String unnamed = "http_" + status;
        try {
            JsonNode json = JSON.readTree(body);
            if (json.path("error").isObject()) {
                return of(json.path("error"), unnamed);
            }
            return new Told(unnamed,
                    head(json.path("error").asText(json.path("message").asText(json.path("detail").asText(body)))));
        } catch (JsonProcessingException e) {
            return new Told(unnamed, head(body)); // a proxy's page, perhaps
        }
    }

    /**
     * An error object.
     *
     * @param unnamed the code of one that has none
     */
    static Told of(JsonNode error, String unnamed) {
        JsonNode code = error.path("code");
        JsonNode type = error.path("type");
        String word = code.isTextual() && !code.textValue().isBlank() ? code.textValue()
                : type.isTextual() && !type.textValue().isBlank() && !type.textValue().equals("error") ? unnamed + " "
                        + type.textValue()
                : unnamed;
        return new Told(word.length() <= MAX_CODE_CHARS ? word : word.substring(0, MAX_CODE_CHARS) + "…",
                head(error.path("message").asText(error.toString())));
    }

    /** The beginning of what a server said. */
    static String head(String text) {
        return text.length() <= MAX_MESSAGE_CHARS ? text : text.substring(0, MAX_MESSAGE_CHARS) + "…";
    }
}
