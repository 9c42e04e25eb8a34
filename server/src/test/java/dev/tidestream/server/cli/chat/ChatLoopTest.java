package dev.tidestream.server.cli.chat;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.function.Consumer;
import java.util.stream.Collectors;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

import dev.tidestream.server.cli.chat.ChatConsole.Input;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** The loop, with a console that types a script and a backend that says what it was asked. */
class ChatLoopTest {
    private final Script console = new Script();
    private final Echo backend = new Echo();
    private final ChatSettings settings = new ChatSettings(List.of());
    private final ChatState state = new ChatState(Optional.empty());

    private void type(String... lines) {
        Arrays.stream(lines).map(Input.Line::new).forEach(console.inputs::add);
    }

    private void run() {
        new ChatLoop(console, backend, settings, state).run();
    }

    @Test
    void shouldKeepTheConversation() {
        type("a", "  ", "b", "/system be brief", "c", "/clear", "d");
        run();
        assertEquals(List.of("user a", "user a|assistant [1]|user b", "system be brief|user a|assistant [1]|user b|assistant [2]|user c",
                "system be brief|user d"), backend.asked);
        assertTrue(console.shown.toString().contains("[4]\n"), console.shown::toString);
    }

    @Test
    void shouldJoinLines() {
        type("a\\", "b \\", "c", "\"\"\"one", "two\"\"\"", "\"\"\"", "/x\\", "\"\"\"", "\"\"\"one line\"\"\"");
        run();
        assertEquals(List.of("a\nb \nc", "one\ntwo", "/x\\", "one line"), backend.questions());
    }

    @Test
    void shouldLeaveOutWhatWasInterrupted() {
        type("a\\");
        console.inputs.add(new Input.Interrupt(true));
        console.inputs.add(new Input.Interrupt(true));
        type("b");
        run();
        assertEquals(List.of("b"), backend.questions());
        assertEquals(1, console.shown.toString().split("Ctrl-D or /exit ends", -1).length - 1, "at an empty prompt only");
    }

    @Test
    void shouldStopAnAnswerAndKeepWhatThereIs() {
        backend.during = StopSwitch::request;
        type("a", "b");
        run();
        assertEquals(List.of("user a", "user a|assistant [1|user b"), backend.asked);
        assertTrue(console.shown.toString().contains("[1\n(stopped)\n"), console.shown::toString);
    }

    @Test
    void shouldSayThatTheConversationIsTooLongAndLeaveNothingOut() {
        type("a");
        run();
        backend.failure = ChatFailedException.tooLong("tokens=9, context=8");
        type("long");
        run();
        assertTrue(console.shown.toString().contains("(no answer: tokens=9, context=8)\n(/clear begins"), console.shown::toString);
        backend.failure = null;
        type("b");
        run();
        assertEquals("user a|assistant [1]|user b", backend.asked.getLast(), "the message without an answer is gone, the rest is there");
    }

    @Test
    void shouldAnswerAgain() {
        type("/regenerate", "a", "b", "/seed 7", "/regenerate");
        run();
        assertEquals(List.of("user a", "user a|assistant [1]|user b", "user a|assistant [1]|user b"), backend.asked);
        assertEquals(OptionalLong.of(7), settings.seed());
        assertTrue(console.shown.toString().contains("(seed 7 is set:"), console.shown::toString);
    }

    @Test
    void shouldChangeSettings() {
        type("/set temperature 0.5", "/set top-k=3", "/set top_p 2", "/set max_tokens x", "/set colour red", "/weights follow",
                "a", "/weights",
                "/exit", "not read");
        run();
        assertEquals(0.5f, settings.sampling().temperature());
        assertEquals(3, settings.sampling().topK());
        assertEquals(1f, settings.sampling().topP());
        String shown = console.shown.toString();
        assertTrue(shown.contains("(top_p must be 1.4E-45 to 1.0: 2)\n(max_tokens must be a whole number: x)\n(/set NAME VALUE"), shown);
        assertTrue(shown.contains("version 5 made the end of the last answer; new answers go to a new version"), shown);
        assertEquals(List.of("a"), backend.questions());
    }

    @Test
    void shouldSayWhereAnAnswerWasCut() {
        backend.end = Answer.End.CONTEXT;
        type("a");
        run();
        assertTrue(console.shown.toString().contains("(cut: the model's context is full; /clear begins a new conversation)"),
                console.shown::toString);
    }

    /** Answers with the number of the question in brackets. */
    private static final class Echo implements Backend {
        private final List<String> asked = new ArrayList<>();
        private Consumer<StopSwitch> during = _ -> { };
        private @Nullable ChatFailedException failure;
        private Answer.End end = Answer.End.STOP;

        List<String> questions() {
            return asked.stream().map(all -> all.substring(all.lastIndexOf("user ") + "user ".length())).toList();
        }

        @Override
        public String description() {
            return "an echo\u001b[2J";
        }

        @Override
        public Answer answer(List<ChatMessage> conversation, ChatSettings settings, Consumer<String> text, StopSwitch stop) {
            if (failure != null) {
                throw failure;
            }
            asked.add(conversation.stream().map(each -> ServerBackend.wire(each.role()) + " " + each.text())
                    .collect(Collectors.joining("|")));
            String whole = "[" + asked.size();
            text.accept(whole);
            during.accept(stop);
            if (!stop.requested()) {
                text.accept("]");
                whole += "]";
            }
            during = _ -> { };
            return new Answer(whole, stop.requested() ? Answer.End.CANCELLED : end, OptionalLong.empty(), OptionalLong.of(5),
                    OptionalInt.empty(), OptionalInt.empty());
        }

        @Override
        public void close() {}
    }

    /** Types lines. */
    private static final class Script implements ChatConsole {
        private final Deque<Input> inputs = new ArrayDeque<>();
        private final StringBuilder shown = new StringBuilder();

        @Override
        public Input read(boolean more) {
            return inputs.isEmpty() ? new Input.End() : inputs.remove();
        }

        @Override
        public void answer(String part) {
            shown.append(part);
        }

        @Override
        public void remark(String line) {
            shown.append(line).append('\n');
        }

        @Override
        public void stoppable(StopSwitch stop, Runnable work) {
            work.run();
        }

        @Override
        public void close() {}
    }
}
