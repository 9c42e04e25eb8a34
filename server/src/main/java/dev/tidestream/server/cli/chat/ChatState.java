package dev.tidestream.server.cli.chat;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

import org.jspecify.annotations.Nullable;

import dev.tidestream.server.cli.chat.ChatMessage.Role;

/** A conversation as it is now. One thread. */
final class ChatState {
    private final List<ChatMessage> messages = new ArrayList<>(); // without the system's, question and answer by turns
    private Optional<String> system;
    private @Nullable Answer last;

    ChatState(Optional<String> system) {
        this.system = system;
    }

    Optional<String> system() {
        return system;
    }

    void system(Optional<String> text) {
        system = text;
    }

    /** The answer that came last, if there was one. */
    Optional<Answer> last() {
        return Optional.ofNullable(last);
    }

    /** What is sent to have a question answered. */
    List<ChatMessage> with(String question) {
        List<ChatMessage> all = new ArrayList<>();
        system.ifPresent(text -> all.add(new ChatMessage(Role.SYSTEM, text)));
        all.addAll(messages);
        all.add(new ChatMessage(Role.USER, question));
        return all;
    }

    void add(String question, Answer answer) {
        messages.add(new ChatMessage(Role.USER, question));
        messages.add(new ChatMessage(Role.ASSISTANT, answer.text()));
        last = answer;
    }

    /** Takes the last question and its answer back; the question. */
    Optional<String> takeBack() {
        if (messages.isEmpty()) {
            return Optional.empty();
        }
        messages.removeLast();
        return Optional.of(messages.removeLast().text());
    }

    /** Forgets all but the system text. */
    void clear() {
        messages.clear();
        last = null;
    }
}
