package dev.tidestream.model.tokenizer;

/** Turns one stream's tokens into text, withholding the bytes of an incomplete UTF-8 character. Used by one thread. */
public interface IncrementalDetokenizer {

    /** The text that this token completes; empty while a character is incomplete. */
    String append(int token);

    /** What was withheld, as U+FFFD where it is no whole character; afterwards nothing is withheld. */
    String flush();
}
