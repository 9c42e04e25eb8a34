package dev.tidestream.model.tokenizer.regex;

import java.util.List;

/** A part of a regular expression. */
sealed interface Node {

    /** One character of a class. */
    record One(CharClass chars) implements Node {}

    /** One after the other; none: the empty text. */
    record Row(List<Node> parts) implements Node {}

    /** The first that leads to a match. */
    record Choice(List<Node> options) implements Node {}

    /** @param most -1: any number */
    record Repeat(Node part, int least, int most, boolean greedy) implements Node {}

    /** A place, seen from its two neighbours. */
    record Place(Between place) implements Node {}

    /** Whether {@code part} matches from here on ({@code ahead}) or up to here; {@code wanted} false: whether it does not. */
    record Look(Node part, boolean ahead, boolean wanted) implements Node {}

    /** A condition on the characters before and behind a place. */
    interface Between {
        /**
         * @param before -1: the text begins here
         * @param behind -1: it ends here
         */
        boolean holds(int before, int behind);
    }
}
