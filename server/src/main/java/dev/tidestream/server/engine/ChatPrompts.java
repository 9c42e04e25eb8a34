package dev.tidestream.server.engine;

import java.time.LocalDateTime;
import java.util.List;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.ChatMessage;
import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.server.chat.ChatTemplateException;
import dev.tidestream.server.chat.Conversation;
import dev.tidestream.server.chat.ModelChat;
import dev.tidestream.server.chat.RenderedChat;

/** From conversations to tokens. Any thread. */
public interface ChatPrompts {
    /** Of an engine that takes none. */
    ChatPrompts NONE = (messages, at) -> {
        throw new EngineException(ErrorCode.INVALID_VALUE, "this engine takes no messages");
    };

    /**
     * A prompt.
     *
     * @param tokens {@code (n)}; not copied
     * @param at what the template was told of the time; null if it was told nothing, or there is none
     */
    @SuppressWarnings("ArrayRecordComponent") // handed on, and never compared
    record Prompt(int[] tokens, @Nullable LocalDateTime at) {}

    /**
     * The prompt of a conversation.
     *
     * @param at what the template is told of the time; null: that of now
     * @throws EngineException if the template refuses the conversation, or cannot be rendered
     */
    Prompt encode(List<ChatMessage> messages, @Nullable LocalDateTime at);

    /** By the template of a model. */
    static ChatPrompts of(ModelChat chat) {
        return (messages, at) -> {
            ArrayNode nodes = JsonNodeFactory.instance.arrayNode();
            messages.forEach(message -> nodes.addObject().put("role", message.role()).put("content", message.content()));
            try {
                RenderedChat rendered = chat.render(Conversation.of(nodes), at);
                return new Prompt(chat.encode(rendered), rendered.at());
            } catch (ChatTemplateException e) {
                throw new EngineException(ErrorCode.INVALID_VALUE, String.valueOf(e.getMessage()));
            }
        };
    }
}
