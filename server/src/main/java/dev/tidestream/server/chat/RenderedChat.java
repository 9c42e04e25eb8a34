package dev.tidestream.server.chat;

import java.time.LocalDateTime;
import java.util.List;

import org.jspecify.annotations.Nullable;

/**
 * A prompt made of a conversation.
 *
 * <p>Text of the template may have control tokens in it, text of the conversation may not: a message that says
 * <code>&lt;|im_end|&gt;</code> must not end itself. Whoever makes tokens takes a piece of text for a control token only where
 * {@link #template} is true for it, unless the client asked for the opposite. Words are not cut where a foreign span begins or ends.
 *
 * <p>A template that puts the text of a control token together from its own text and a role (<code>'&lt;|' + role + '|&gt;'</code>) still
 * makes that token: one of {@link ChatTemplate#KNOWN_ROLES} counts as the template's own.
 *
 * @param text the prompt
 * @param foreign the spans of it that came from the conversation, ascending, none touching
 * @param bosEnd how many characters the begin-of-sequence token has that the template put at the begin; 0 if the tokenizer is to add it
 * @param at what {@code strftime_now} told; null if the template does not know it, so that it makes the same at any time
 */
public record RenderedChat(String text, List<Span> foreign, int bosEnd, @Nullable LocalDateTime at) {

    /** Of a template that tells no time. */
    public RenderedChat(String text, List<Span> foreign, int bosEnd) {
        this(text, foreign, bosEnd, null);
    }

    /**
     * A part of the prompt, in UTF-16 code units.
     *
     * @param start of its first one
     * @param end behind its last one
     */
    public record Span(int start, int end) {}

    public RenderedChat {
        foreign = List.copyOf(foreign);
    }

    /** Whether the template begins with the begin-of-sequence token, so that none may be added. */
    public boolean beginsWithBos() {
        return bosEnd > 0;
    }

    /** Whether all of this part is text of the template. */
    public boolean template(int start, int end) {
        int low = 0;
        int high = foreign.size();
        while (low < high) { // the first span that ends behind the start
            int middle = (low + high) >>> 1;
            if (foreign.get(middle).end() <= start) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low == foreign.size() || foreign.get(low).start() >= end;
    }
}
