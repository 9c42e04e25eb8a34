package dev.tidestream.model.tokenizer.pretokenizer;

import dev.tidestream.model.tokenizer.regex.Regex;

/** A step of a {@link PreTokenizer}, as tokenizer.json has them. Immutable. */
public sealed interface Step {

    /** How many chars one char of a word may become, at most. */
    default long growth() {
        return 1;
    }

    /** What becomes of matches. */
    enum Behavior {
        /** They are left out. */
        REMOVED,
        /** Each is a word. */
        ISOLATED,
        /** Each ends the word in front of it. */
        MERGED_WITH_PREVIOUS,
        /** Each begins the word behind it. */
        MERGED_WITH_NEXT,
        /** Neighbours are one word. */
        CONTIGUOUS
    }

    /** Where a space is put in front. */
    enum Prefix {
        NOWHERE,
        /** In front of a text; not behind an added token. */
        FIRST,
        /** Behind added tokens, too. */
        EVERYWHERE
    }

    /**
     * Cuts at matches.
     *
     * @param inverted matches are what lies between
     */
    record Split(Regex pattern, Behavior behavior, boolean inverted) implements Step {
        /** As most are: every match is a word, and so is what lies between. */
        public static Split isolated(String expression) {
            return new Split(Regex.compile(expression), Behavior.ISOLATED, false);
        }
    }

    /** A space in front of every word that does not begin with one (byte-level BPE's {@code add_prefix_space}). */
    record PrefixSpace() implements Step {
        @Override
        public long growth() {
            return 2;
        }
    }

    /**
     * Writes spaces as another character, puts one in front, and cuts before each.
     *
     * @param replacement one character, U+2581 as a rule
     */
    record Metaspace(String replacement, Prefix prefix, boolean split) implements Step {
        @Override
        public long growth() {
            return (prefix == Prefix.NOWHERE ? 1L : 2L) * replacement.length();
        }
    }
}
