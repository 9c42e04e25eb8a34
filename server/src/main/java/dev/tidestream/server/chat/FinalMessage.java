package dev.tidestream.server.chat;

import com.fasterxml.jackson.databind.JsonNode;

import dev.tidestream.server.chat.jinja.value.Text;
import dev.tidestream.server.chat.jinja.value.Texts;

/** {@code continue_final_message}: the prompt ends where the text of the last message ends, as transformers cuts it. */
final class FinalMessage {

    private FinalMessage() {}

    static Text cut(Text prompt, JsonNode messages) {
        String last = text(messages.path(messages.size() - 1).path("content"));
        Text whole = Text.of(last);
        String stripped = Texts.strip(whole, null, true, true).chars();
        int at = prompt.chars().lastIndexOf(stripped);
        if (stripped.isEmpty() || at < 0) {
            throw new ChatTemplateException(ChatTemplateException.Reason.BAD_CONVERSATION,
                    "the last message cannot be continued: " + (stripped.isEmpty() ? "it has no text" : "its text is not in the prompt as it is"));
        }
        String withEnd = Texts.strip(whole, null, true, false).chars();
        boolean kept = prompt.chars().startsWith(withEnd, at);
        return prompt.sub(0, at + (kept ? withEnd.length() : stripped.length()));
    }

    /** The text, or that of the last part that has one. */
    private static String text(JsonNode content) {
        if (content.isTextual()) {
            return content.textValue();
        }
        for (int i = content.size() - 1; i >= 0; i--) {
            if (content.path(i).path("text").isTextual()) {
                return content.path(i).path("text").textValue();
            }
        }
        return "";
    }
}
