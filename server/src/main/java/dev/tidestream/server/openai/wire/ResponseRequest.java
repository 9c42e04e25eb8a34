package dev.tidestream.server.openai.wire;

import java.util.List;
import java.util.Map;
import java.util.Optional;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.jspecify.annotations.Nullable;

/**
 * A {@code POST /v1/responses}.
 *
 * @param items of the input, each with an id, as they are shown again
 * @param messages what the template is to see of them
 * @param tools as the template wants them, if it is to show some
 * @param variables what else the template reads
 * @param instructions of this request alone; a system message in front
 * @param previousId the answer that this goes on from
 * @param store whether it can be gone on from, and asked for again
 * @param echo the fields of the request as each answer has them
 */
public record ResponseRequest(
        TokenRequest common,
        List<JsonNode> items,
        List<JsonNode> messages,
        Optional<JsonNode> tools,
        Map<String, JsonNode> variables,
        @Nullable String instructions,
        @Nullable String previousId,
        boolean store,
        ObjectNode echo) {

    public ResponseRequest {
        items = List.copyOf(items);
        messages = List.copyOf(messages);
        variables = Map.copyOf(variables);
    }
}
