package dev.tidestream.server.cli.chat;

/** Where the user is: lines come from there, answers and remarks go there. One thread; closing gives the terminal back. */
interface ChatConsole extends AutoCloseable {

    /** What the user did at a prompt. */
    sealed interface Input {
        /** A line, without its end; it has line ends in it if they were pasted. */
        record Line(String text) implements Input {}

        /** Text for the model, whatever it begins with. */
        record Message(String text) implements Input {}

        /** Ctrl-C; {@code empty} if nothing was typed before it. */
        record Interrupt(boolean empty) implements Input {}

        /** Ctrl-D, or there is no more. */
        record End() implements Input {}
    }

    /** @param more whether it goes on with a message that has begun */
    Input read(boolean more);

    /** A part of an answer: what a terminal would not show as text is escaped. */
    void answer(String part);

    /** A remark of ours, one line. */
    void remark(String line);

    /** Does something that Ctrl-C stops. */
    void stoppable(StopSwitch stop, Runnable work);

    @Override
    void close();
}
