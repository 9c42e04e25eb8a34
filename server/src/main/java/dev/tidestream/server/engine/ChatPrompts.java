package dev.tidestream.server.engine;

import java.util.List;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;

import dev.tidestream.protocol.ChatMessage;
import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.server.chat.ChatTemplateException;
import dev.tidestream.server.chat.Conversation;
import dev.tidestream.server.chat.ModelChat;

/** From conversations to tokens. Any thread. */
public interface ChatPrompts {
    /** Of an engine that takes none. */
    ChatPrompts NONE = messages -> {
        throw new EngineException(ErrorCode.INVALID_VALUE, "this engine takes no messages");
    };

    /**
     * The tokens of a prompt {@code (n)}.
     *
     * @throws EngineException if the template refuses the conversation, or cannot be rendered
     */
    int[] encode(List<ChatMessage> messages);

    /** By the template of a model. */
    static ChatPrompts of(ModelChat chat) {
        return messages -> {
            ArrayNode nodes = JsonNodeFactory.instance.arrayNode();
            messages.forEach(message -> nodes.addObject().put("role", message.role()).put("content", message.content()));
            try {
                return chat.encode(chat.render(Conversation.of(nodes)));
            } catch (ChatTemplateException e) {
                throw new EngineException(ErrorCode.INVALID_VALUE, String.valueOf(e.getMessage()));
            }
        };
    }
}
