package dev.tidestream.server.cli.chat;

import java.util.concurrent.atomic.AtomicReference;

import org.jspecify.annotations.Nullable;

import dev.tidestream.console.Printable;
import dev.tidestream.server.cli.chat.ChatConsole.Input;

/** The conversation: reads what the user says, does what begins with a slash, has the rest answered. One thread. */
final class ChatLoop {
    private final ChatConsole console;
    private final Backend backend;
    private final ChatSettings settings;
    private final ChatState state;
    private final SlashCommands commands;

    ChatLoop(ChatConsole console, Backend backend, ChatSettings settings, ChatState state) {
        this.console = console;
        this.backend = backend;
        this.settings = settings;
        this.state = state;
        this.commands = new SlashCommands(console, settings, state, this::answer);
    }

    /** Until the user ends it. */
    void run() {
        console.remark("tidestream chat: " + Printable.line(backend.description()));
        console.remark("/help lists the commands; Ctrl-C stops an answer, Ctrl-D ends");
        MessageReader reader = new MessageReader(console);
        boolean goesOn = true;
        while (goesOn) {
            goesOn = switch (reader.next()) {
                case Input.End() -> false;
                case Input.Interrupt(boolean empty) -> {
                    if (empty) {
                        console.remark("(Ctrl-D or /exit ends)");
                    }
                    yield true;
                }
                case Input.Line(String text) -> text.startsWith("/") ? commands.run(text) : react(text);
                case Input.Message(String text) -> react(text);
            };
        }
    }

    /** Whether it goes on. */
    private boolean react(String text) {
        if (!text.isBlank()) {
            answer(text);
        }
        return true;
    }

    /** Has a question answered. One without an answer is no part of the conversation. */
    private void answer(String question) {
        StopSwitch stop = new StopSwitch();
        AtomicReference<@Nullable Answer> answered = new AtomicReference<>();
        try {
            console.stoppable(stop, () -> answered.set(backend.answer(state.with(question), settings, console::answer, stop)));
        } catch (ChatFailedException e) {
            console.answer("\n");
            console.remark("(no answer: " + Printable.line(String.valueOf(e.getMessage())) + ")");
            if (e.tooLong()) {
                console.remark("(/clear begins a new conversation; nothing was left out of this one)");
            }
            return;
        }
        Answer answer = answered.get();
        if (answer == null) {
            throw new IllegalStateException("no answer and no reason");
        }
        console.answer("\n");
        switch (answer.end()) {
            case STOP -> { }
            case LENGTH -> console.remark("(cut: max_tokens is %s; /set max_tokens N allows more)".formatted(
                    settings.said(Setting.MAX_TOKENS) == null && answer.completionTokens().isPresent()
                            ? answer.completionTokens().getAsInt() : settings.maxTokens()));
            case CONTEXT -> console.remark("(cut: the model's context is full; /clear begins a new conversation)");
            case CANCELLED -> console.remark("(stopped)");
        }
        if (answer.end() != Answer.End.CANCELLED || !answer.text().isEmpty()) {
            state.add(question, answer);
        }
    }
}
