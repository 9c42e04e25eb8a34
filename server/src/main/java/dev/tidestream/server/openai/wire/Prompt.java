package dev.tidestream.server.openai.wire;

/** One prompt of a request. */
public sealed interface Prompt {

    /** Text, to be tokenized. */
    record Text(String text) implements Prompt {}

    /** Token ids {@code (n)}, used as they are. */
    record Tokens(int[] tokens) implements Prompt {}
}
