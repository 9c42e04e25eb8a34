package dev.tidestream.model.tokenizer.normalizer;

import java.util.Locale;

import dev.tidestream.model.tokenizer.regex.Regex;

/** A change of a text before it is cut into words, as tokenizer.json has them. Immutable; any thread. */
public sealed interface Normalizer {
    /** Chars that a char becomes by NFKD, at most: U+FDFA does. */
    int MOST_OF_FORM = 18;

    /** Chars that a char becomes as a small letter, at most. */
    int MOST_OF_LOWERCASE = 3;

    /** @param text without unpaired surrogates; the result has none, too */
    String apply(String text);

    /** How many chars one char may become, at most. */
    default long growth() {
        return 1;
    }

    /** One of Unicode's normal forms. */
    record Form(java.text.Normalizer.Form form) implements Normalizer {
        @Override
        public String apply(String text) {
            return java.text.Normalizer.normalize(CombiningRuns.sorted(text, form), form);
        }

        @Override
        public long growth() {
            return MOST_OF_FORM;
        }
    }

    /** Small letters for capital ones, whatever the language. */
    record Lowercase() implements Normalizer {
        @Override
        public String apply(String text) {
            StringBuilder lower = new StringBuilder(text.length());
            text.codePoints().forEach(c -> lower.append(Character.toString(c).toLowerCase(Locale.ROOT)));
            return lower.toString();
        }

        @Override
        public long growth() {
            return MOST_OF_LOWERCASE;
        }
    }

    /** Something else for every match. */
    record Replace(Regex pattern, String content) implements Normalizer {
        @Override
        public String apply(String text) {
            StringBuilder replaced = new StringBuilder(text.length());
            int[] from = {0};
            pattern.findAll(text, 0, text.length(), (start, end) -> {
                replaced.append(text, from[0], start).append(content);
                from[0] = end;
            });
            return from[0] == 0 && replaced.isEmpty() ? text : replaced.append(text, from[0], text.length()).toString();
        }

        @Override
        public long growth() {
            return pattern.mayBeEmpty() ? 1 + content.length() : Math.max(1, content.length());
        }
    }

    /** The same for a text that is simply looked for. */
    record ReplaceText(String wanted, String content) implements Normalizer {
        @Override
        public String apply(String text) {
            return text.replace(wanted, content);
        }

        @Override
        public long growth() {
            return wanted.isEmpty() ? 1 + content.length() : Math.max(1, Math.ceilDiv(content.length(), wanted.length()));
        }
    }

    /** Something in front of a text that is not empty. */
    record Prepend(String content) implements Normalizer {
        @Override
        public String apply(String text) {
            return text.isEmpty() ? text : content + text;
        }

        @Override
        public long growth() {
            return Math.max(1, content.length());
        }
    }

    /** No white space at the ends. */
    record Strip(boolean left, boolean right) implements Normalizer {
        @Override
        public String apply(String text) {
            int start = 0;
            int end = text.length();
            while (left && start < end && isSpace(text.charAt(start))) {
                start++;
            }
            while (right && end > start && isSpace(text.charAt(end - 1))) {
                end--;
            }
            return text.substring(start, end);
        }

        private static boolean isSpace(char c) {
            return (c >= '\t' && c <= '\r') || c == 0x85 || Character.isSpaceChar(c);
        }
    }

    /** No combining marks. */
    record StripAccents() implements Normalizer {
        @Override
        public String apply(String text) {
            StringBuilder stripped = new StringBuilder(text.length());
            text.codePoints()
                    .filter(c -> Character.getType(c) != Character.NON_SPACING_MARK
                            && Character.getType(c) != Character.COMBINING_SPACING_MARK
                            && Character.getType(c) != Character.ENCLOSING_MARK)
                    .forEach(stripped::appendCodePoint);
            return stripped.toString();
        }
    }

    /** SentencePiece's table of replacements. */
    record Precompiled(CharsMap charsMap) implements Normalizer {
        @Override
        public String apply(String text) {
            return charsMap.apply(text);
        }

        @Override
        public long growth() {
            return charsMap.longestReplacement();
        }
    }
}
