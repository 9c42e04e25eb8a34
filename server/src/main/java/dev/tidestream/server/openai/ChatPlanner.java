package dev.tidestream.server.openai;

import java.time.LocalDateTime;
import java.util.List;

import org.jspecify.annotations.Nullable;

import dev.tidestream.server.chat.ChatTemplateException;
import dev.tidestream.server.chat.Conversation;
import dev.tidestream.server.chat.RenderedChat;
import dev.tidestream.server.openai.wire.AnswerFormat;
import dev.tidestream.server.openai.wire.BadRequestException;
import dev.tidestream.server.openai.wire.ChatRequest;
import dev.tidestream.server.openai.wire.TokenRequest;
import dev.tidestream.server.transport.http.HttpError;

/** From conversations to what is to be generated; any thread, on which the template is rendered. */
public final class ChatPlanner {
    private static final int BAD_REQUEST = 400;
    private static final int MAX_MESSAGE_CHARS = 4000; // a template's own text is in some

    private final Backend backend;

    public ChatPlanner(Backend backend) {
        this.backend = backend;
    }

    Plan plan(ChatRequest asked) throws BadRequestException {
        return plan(asked.common(), asked.conversation(), AnswerFormat.CHAT, "messages");
    }

    /**
     * The answer to a conversation.
     *
     * @param param the field that it came in, for errors
     */
    public Plan plan(TokenRequest common, Conversation conversation, AnswerFormat format, String param) throws BadRequestException {
        requireModel(common);
        RenderedChat rendered = render(conversation, param);
        int[] tokens = encode(rendered, param);
        int maxTokens = common.maxTokens().orElseGet(() -> backend.defaultMaxTokens().applyAsInt(tokens.length));
        return new Plan(common, format, List.of(new Plan.PlannedPrompt(null, tokens, rendered.at())), maxTokens, false,
                backend.adapterOf(common));
    }

    /** Refuses a request for another model than the one that is served, and its adapters. */
    public void requireModel(TokenRequest common) throws BadRequestException {
        OpenAiEndpoints.requireModel(backend, common.model());
        OpenAiEndpoints.requireReceipts(backend, common);
    }

    /**
     * The prompt as text.
     *
     * @param param the field that it came in, for errors
     */
    public RenderedChat render(Conversation conversation, String param) throws BadRequestException {
        return render(conversation, null, param);
    }

    /**
     * The prompt as text, as it was at a time.
     *
     * @param at what the template is told of the time; null: that of now
     * @param param the field that it came in, for errors
     */
    public RenderedChat render(Conversation conversation, @Nullable LocalDateTime at, String param) throws BadRequestException {
        try {
            return backend.chat().render(conversation, at);
        } catch (ChatTemplateException e) {
            String message = String.valueOf(e.getMessage());
            throw new BadRequestException(HttpError.of(BAD_REQUEST, code(e.reason()), param,
                    message.length() > MAX_MESSAGE_CHARS ? message.substring(0, MAX_MESSAGE_CHARS) + "…" : message));
        }
    }

    private static String code(ChatTemplateException.Reason reason) {
        return switch (reason) {
            case NO_TEMPLATE -> "no_chat_template";
            case NOT_A_TEMPLATE -> "chat_template_unreadable";
            case REFUSED_BY_TEMPLATE -> "refused_by_chat_template";
            case FAILED -> "chat_template_failed";
            case BAD_CONVERSATION -> "invalid_value";
        };
    }

    /**
     * The tokens of a prompt; one that can never fit costs no memory.
     *
     * @param param the field that it came in, for errors
     */
    public int[] encode(RenderedChat chat, String param) throws BadRequestException {
        int contextLength = backend.model().get().contextLength();
        long least = backend.chat().leastTokens(chat);
        if (least > contextLength) {
            throw tooLong(contextLength, "at least " + least, param);
        }
        int[] tokens = backend.chat().encode(chat);
        if (tokens.length == 0) {
            throw new BadRequestException(HttpError.of(BAD_REQUEST, "invalid_value", param, "the chat template makes no token of this"));
        }
        if (tokens.length >= contextLength) {
            throw tooLong(contextLength, Integer.toString(tokens.length), param);
        }
        return tokens;
    }

    private static BadRequestException tooLong(int contextLength, String tokens, String param) {
        return new BadRequestException(HttpError.of(BAD_REQUEST, "context_length_exceeded", param,
                "This model's maximum context length is %d tokens. However, your messages resulted in %s tokens. Please reduce their length."
                        .formatted(contextLength, tokens)));
    }
}
