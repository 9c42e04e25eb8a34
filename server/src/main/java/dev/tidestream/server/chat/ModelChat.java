package dev.tidestream.server.chat;

import java.time.Clock;
import java.time.LocalDateTime;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.jspecify.annotations.Nullable;

import dev.tidestream.model.tokenizer.Tokenizer;

/**
 * From conversations to the prompts of one model. Templates are read when they are first asked for. Any thread.
 *
 * <p>The role {@code developer} is {@code system} to a template that does not speak of developers, as OpenAI's interface has it.
 */
public final class ModelChat {
    private static final String DEVELOPER = "developer";
    private static final String ROLE = "role";

    private final ChatTemplates templates;
    private final SpecialTokens tokens;
    private final ChatEncoder encoder;
    private final Clock clock;
    private final Map<String, ChatTemplate> parsed = new ConcurrentHashMap<>();

    /**
     * @param templates of the model; may be none
     * @param tokens that templates know by name
     * @param tokenizer of the model
     * @param clock what {@code strftime_now} tells, in its zone
     */
    public ModelChat(ChatTemplates templates, SpecialTokens tokens, Tokenizer tokenizer, Clock clock) {
        this.templates = templates;
        this.tokens = tokens;
        this.encoder = new ChatEncoder(tokenizer);
        this.clock = clock;
    }

    /**
     * The template for a conversation.
     *
     * @param tools whether it has tools
     * @throws ChatTemplateException if there is none, or if it cannot be read
     */
    public ChatTemplate template(boolean tools) {
        return parsed(source(tools));
    }

    private String source(boolean tools) {
        return templates.choose(tools).orElseThrow(() -> new ChatTemplateException(ChatTemplateException.Reason.NO_TEMPLATE,
                "the model has no chat template; the server can be started with one: --chat-template FILE"));
    }

    private ChatTemplate parsed(String source) {
        return parsed.computeIfAbsent(source, text -> ChatTemplate.parse(text, tokens, clock));
    }

    /**
     * The prompt for a conversation.
     *
     * @throws ChatTemplateException if there is no template, or if it refuses the conversation or fails on it
     */
    public RenderedChat render(Conversation conversation) {
        return render(conversation, null);
    }

    /**
     * The prompt for a conversation as it was at a time.
     *
     * @param at what {@code strftime_now} tells; null: the time of now
     * @throws ChatTemplateException as the other method
     */
    public RenderedChat render(Conversation conversation, @Nullable LocalDateTime at) {
        String source = source(conversation.tools().isPresent());
        ChatTemplate template = parsed(source);
        return template.render(
                source.contains(DEVELOPER) ? conversation : withoutDevelopers(conversation), at == null ? LocalDateTime.now(clock) : at);
    }

    private static Conversation withoutDevelopers(Conversation conversation) {
        ArrayNode messages = JsonNodeFactory.instance.arrayNode();
        boolean changed = false;
        for (JsonNode message : conversation.messages()) {
            if (message instanceof ObjectNode object && message.path(ROLE).asText().equals(DEVELOPER)) {
                ObjectNode copy = object.objectNode();
                copy.setAll(object);
                messages.add(copy.put(ROLE, "system"));
                changed = true;
            } else {
                messages.add(message);
            }
        }
        return changed ? new Conversation(messages, conversation.tools(), conversation.documents(), conversation.ending(),
                conversation.variables()) : conversation;
    }

    /** All that prompts are made of, as text: templates by name, and the special tokens they know. */
    public String content() {
        return new TreeMap<>(templates.byName()) + "\n" + new TreeMap<>(tokens.texts()) + "\n" + tokens.additional();
    }

    /** A lower bound of how many tokens {@link #encode} makes. */
    public long leastTokens(RenderedChat chat) {
        return encoder.leastTokens(chat);
    }

    /**
     * The tokens of a prompt; what a client wrote makes no control token.
     *
     * @return token ids {@code (n)}
     */
    public int[] encode(RenderedChat chat) {
        return encoder.encode(chat);
    }
}
