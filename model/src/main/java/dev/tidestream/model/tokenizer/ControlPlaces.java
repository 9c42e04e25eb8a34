package dev.tidestream.model.tokenizer;

/**
 * Where in a text the name of a control token, such as {@code <|im_start|>}, stands for that token; elsewhere it is text. Any thread.
 *
 * <p>What is allowed is a property of the characters: a part is allowed if each of its characters is.
 */
@FunctionalInterface
public interface ControlPlaces {
    /** Everywhere. */
    ControlPlaces EVERYWHERE = (_, _) -> true;

    /** Nowhere: a user's text is text, whatever it looks like. */
    ControlPlaces NOWHERE = (_, _) -> false;

    /**
     * Whether a control token may be written here.
     *
     * @param start index of the first char, at least 0
     * @param end index behind the last char, greater than {@code start}
     */
    boolean allow(int start, int end);

    /** One of the two. */
    static ControlPlaces of(boolean everywhere) {
        return everywhere ? EVERYWHERE : NOWHERE;
    }

    /** The same places in the text from there on. */
    default ControlPlaces from(int offset) {
        return this == EVERYWHERE || this == NOWHERE ? this : (start, end) -> allow(offset + start, offset + end);
    }
}
