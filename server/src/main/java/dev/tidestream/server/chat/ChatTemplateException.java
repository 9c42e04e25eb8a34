package dev.tidestream.server.chat;

import java.util.Optional;

import dev.tidestream.server.chat.jinja.base.Position;
import dev.tidestream.server.chat.jinja.base.TemplateException;

/** A conversation that cannot become a prompt. The message is complete, and may have text of the template and of messages in it. */
public final class ChatTemplateException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** What is the matter. */
    public enum Reason {
        /** The model has no template. */
        NO_TEMPLATE,
        /** The template is not one, or has something in it that this server does not know. */
        NOT_A_TEMPLATE,
        /** The template refuses the conversation ({@code raise_exception}); the message is the template's text, for the client. */
        REFUSED_BY_TEMPLATE,
        /** The template fails on this conversation, or does more than it may. */
        FAILED,
        /** The conversation has something in it that cannot be rendered by any template here. */
        BAD_CONVERSATION
    }

    private final Reason reason;
    private final transient Optional<Position> position;

    ChatTemplateException(Reason reason, String message) {
        super(message);
        this.reason = reason;
        this.position = Optional.empty();
    }

    ChatTemplateException(TemplateException cause) {
        super(message(cause), cause);
        this.reason = switch (cause.kind()) {
            case SYNTAX -> Reason.NOT_A_TEMPLATE;
            case RAISED -> Reason.REFUSED_BY_TEMPLATE;
            case RUNTIME, LIMIT -> Reason.FAILED;
        };
        this.position = cause.position();
    }

    private static String message(TemplateException cause) {
        return switch (cause.kind()) {
            case RAISED -> cause.reason();
            case SYNTAX -> "the chat template cannot be read: " + cause.getMessage();
            case RUNTIME, LIMIT -> "the chat template cannot be rendered: " + cause.getMessage();
        };
    }

    public Reason reason() {
        return reason;
    }

    /** Where in the template, if that is known. */
    public Optional<Position> position() {
        return position;
    }
}
