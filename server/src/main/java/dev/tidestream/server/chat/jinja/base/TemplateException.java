package dev.tidestream.server.chat.jinja.base;

import java.util.Optional;

import org.jspecify.annotations.Nullable;

/**
 * A template that cannot be read or rendered: the only exception of the engine. Its message begins with the place, where that is known, and
 * has names and values in it that come from the template and from messages.
 */
public final class TemplateException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** Whose fault it is. */
    public enum Kind {
        /** The text is not a template, or has something in it that the engine does not know. */
        SYNTAX,
        /** An operation that does not exist for these values, as Python's exceptions. */
        RUNTIME,
        /** The template called {@code raise_exception}: the reason is its text, and it is meant for the client. */
        RAISED,
        /** More than {@link TemplateLimits} allows. */
        LIMIT
    }

    private final Kind kind;
    private final String reason;
    private final transient @Nullable Position position;

    /** Without a place: who evaluates the expression adds it. */
    public TemplateException(Kind kind, String reason) {
        this(kind, reason, null);
    }

    public TemplateException(Kind kind, String reason, @Nullable Position position) {
        super(position == null ? reason : position + ": " + reason);
        this.kind = kind;
        this.reason = reason;
        this.position = position;
    }

    /** An operation that these values do not have. */
    public static TemplateException runtime(String reason) {
        return new TemplateException(Kind.RUNTIME, reason);
    }

    public Kind kind() {
        return kind;
    }

    /** The message without the place. */
    public String reason() {
        return reason;
    }

    /** Where it happened, if that is known. */
    public Optional<Position> position() {
        return Optional.ofNullable(position);
    }

    /** The same with this place, unless it has one: the innermost is the right one. */
    public TemplateException at(Position place) {
        if (position != null) {
            return this;
        }
        TemplateException placed = new TemplateException(kind, reason, place);
        placed.setStackTrace(getStackTrace());
        return placed;
    }
}
