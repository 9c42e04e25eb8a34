package dev.tidestream.loadtest.run;

import java.util.stream.IntStream;

import org.jspecify.annotations.Nullable;

import dev.tidestream.loadtest.figures.StreamTimes;
import dev.tidestream.loadtest.plan.Conversation;
import dev.tidestream.loadtest.plan.Prompt;
import dev.tidestream.protocol.ServerMessage;

/** One stream under way; belongs to the I/O thread. */
final class Stream {
    /** What this stream does in its middle. */
    enum Fault {
        NONE,
        VANISH,
        CANCEL,
        SLOW,
        RESUME
    }

    final String id;
    final long intendedNs;
    final long sentNs;
    final boolean measured;
    final Conversation conversation;
    final Prompt prompt;
    final long seed;
    /** What it asks for again; null: nothing. */
    final Repeats.@Nullable Answered repeats;
    /** Of the conversation, counted from 1. */
    final int turn;
    final StreamCheck check;
    final Fault fault;
    /** The fault happens when so many tokens have come. */
    final int faultAfter;
    long firstNs;
    long lastNs;
    /** Of the last sign of life. */
    long heardNs;
    /** The client read slowly meanwhile: the stream's times are not the server's. */
    boolean slowed;
    boolean cancelled;
    boolean vanished;
    /** Its connection is being broken off, and it is to go on on another one. */
    boolean dropped;
    /** It went on on another connection at least once. */
    boolean resumed;
    /** A worker was killed while it ran. */
    boolean disturbed;
    /** Between two tokens, since then. */
    long longestGapNs;
    /** The server that it began on, counted from 0. */
    int server;
    /** Credit granted so far, for paced readers. */
    long granted;

    private final boolean keeps; // the answer is needed at the end
    private final IntStream.Builder answerTokens = IntStream.builder();
    private int @Nullable [] answered;
    private final StringBuilder answerText = new StringBuilder();

    /**
     * @param conversation whose turn has begun
     * @param prompt of that turn
     * @param repeats what it asks for again; null: nothing
     * @param keeps whether the text of the answer is wanted at the end even if the conversation ends with it
     */
    Stream(String id, long intendedNs, long sentNs, boolean measured, Conversation conversation, Prompt prompt, long seed,
            Repeats.@Nullable Answered repeats, boolean keeps, StreamCheck check, Fault fault, int faultAfter) {
        this.id = id;
        this.prompt = prompt;
        this.seed = seed;
        this.repeats = repeats;
        this.intendedNs = intendedNs;
        this.sentNs = sentNs;
        this.measured = measured;
        this.conversation = conversation;
        this.turn = conversation.begun();
        this.keeps = keeps || conversation.hasNext();
        this.check = check;
        this.fault = fault;
        this.faultAfter = faultAfter;
        this.heardNs = sentNs;
    }

    void answer(ServerMessage.Token token) {
        if (keeps) {
            answerTokens.add(token.token());
            answerText.append(token.text());
        }
    }

    /** At the end. */
    int[] answerTokens() {
        int[] all = answered;
        if (all == null) {
            all = answerTokens.build().toArray();
            answered = all;
        }
        return all;
    }

    String answerText() {
        return answerText.toString();
    }

    /** @param unseen tokens that came without a frame of their own */
    StreamTimes times(long endNs, int unseen) {
        return new StreamTimes(intendedNs, sentNs, firstNs, lastNs, endNs, check.tokens() + unseen);
    }
}
