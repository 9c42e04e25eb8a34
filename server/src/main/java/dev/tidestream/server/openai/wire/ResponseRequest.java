package dev.tidestream.server.openai.wire;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.jspecify.annotations.Nullable;

import dev.tidestream.server.chat.Conversation;

/**
 * A {@code POST /v1/responses}.
 *
 * @param items of the input, each with an id, as they are shown again
 * @param messages what the template is to see of them
 * @param tools as the template wants them, if it is to show some
 * @param variables what else the template reads
 * @param instructions of this request alone; a system message in front
 * @param previousId the answer that this goes on from
 * @param generate false: nothing is generated, it only prepares what goes on from it; only over a WebSocket
 * @param credit tokens that the client takes for now; absent: any number; only over a WebSocket
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
        boolean generate,
        OptionalInt credit,
        boolean store,
        ObjectNode echo) {

    public ResponseRequest {
        items = List.copyOf(items);
        messages = List.copyOf(messages);
        variables = Map.copyOf(variables);
    }

    /** What the template is to render, in a conversation. */
    public Conversation after(List<JsonNode> prior) {
        ArrayNode all = JsonNodeFactory.instance.arrayNode();
        if (instructions != null) {
            all.addObject().put("role", "system").put("content", instructions);
        }
        all.addAll(prior);
        all.addAll(messages);
        return new Conversation(all, tools, Optional.empty(), Conversation.Ending.ANSWER_BEGINS, variables);
    }
}
