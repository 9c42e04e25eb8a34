package dev.tidestream.server.cli.chat;

import java.util.List;
import java.util.function.Consumer;

/** Who answers. One thread. */
interface Backend extends AutoCloseable {

    /** Who it is, for people, in one line. */
    String description();

    /**
     * Answers the last message of a conversation; returns when the answer is complete.
     *
     * @param text gets it as it is made, on the calling thread
     * @param stop ends it early: what there is until then is the answer
     * @throws ChatFailedException if there is none
     */
    Answer answer(List<ChatMessage> conversation, ChatSettings settings, Consumer<String> text, StopSwitch stop);

    @Override
    void close();
}
