package dev.tidestream.model.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.BitSet;

import org.jspecify.annotations.Nullable;

/**
 * A lower bound of the tokens of a text that costs one addition per byte, so that a prompt that can never fit is known before it is
 * tokenized.
 *
 * <p>Each byte b of the text counts as {@code 1 / longest(b)} of a token, where {@code longest(b)} is the length of the longest token
 * with that byte in it. A token of n bytes covers bytes that count 1/n each at most, so it covers 1 at most; the sum is a lower bound
 * of the tokens that cover the text. What no token has to cover counts as nothing: bytes of byte-level BPE without a token are left out,
 * and any number of characters that SentencePiece does not know may be one unknown token.
 *
 * <p>Lengths are those in the text as it comes: a SentencePiece token may stand for U+2581 (3 bytes) as well as for a space. Shares are
 * fixed-point numbers, rounded down. Immutable.
 */
final class LeastTokens {
    private static final int FRACTION_BITS = 32;
    private static final int BYTES = 256;

    private final long[] shares = new long[BYTES]; // by byte: of a token, times 2^32
    private final @Nullable BitSet known; // characters that count; null: all

    private final boolean skipsSpace;

    /**
     * @param byteSymbols tokens are made of bytes; otherwise of characters, with U+2581 for a space or without
     * @param skipsSpace white space may belong to a control token, and so costs nothing
     */
    LeastTokens(Vocabulary vocabulary, boolean byteSymbols, boolean skipsSpace) {
        boolean sentencePiece = !byteSymbols;
        this.skipsSpace = skipsSpace;
        int[] longest = new int[BYTES];
        for (int id = 0; id < vocabulary.size(); id++) {
            String text = vocabulary.text(id);
            if (sentencePiece || vocabulary.type(id) != TokenType.NORMAL) { // written in the text as it is
                note(longest, text.getBytes(StandardCharsets.UTF_8));
            }
            if (!sentencePiece) {
                note(longest, ByteAlphabet.bytesOf(text));
            } else if (text.indexOf(Vocabulary.ESCAPED_SPACE) >= 0) {
                longest[' '] = Math.max(longest[' '], Utf8.length(text));
            }
        }
        boolean[] singles = sentencePiece ? byteTokens(vocabulary) : byteSymbols(vocabulary);
        for (int b = 0; b < BYTES; b++) {
            boolean covered = sentencePiece || singles[b];
            shares[b] = covered ? (1L << FRACTION_BITS) / Math.max(1, longest[b]) : 0;
        }
        known = sentencePiece && !allThatUtf8Has(singles) ? known(vocabulary, singles) : null;
    }

    private static void note(int[] longest, byte[] token) {
        for (byte b : token) {
            longest[b & 0xFF] = Math.max(longest[b & 0xFF], token.length);
        }
    }

    /** Which bytes SentencePiece falls back to. */
    private static boolean[] byteTokens(Vocabulary vocabulary) {
        boolean[] present = new boolean[BYTES];
        for (int id = 0; id < vocabulary.size(); id++) {
            int value = vocabulary.type(id) == TokenType.BYTE ? Vocabulary.byteOf(vocabulary.text(id)) : -1;
            if (value >= 0) {
                present[value] = true;
            }
        }
        return present;
    }

    /** Which bytes byte-level BPE has a symbol for. */
    private static boolean[] byteSymbols(Vocabulary vocabulary) {
        boolean[] present = new boolean[BYTES];
        for (int b = 0; b < BYTES; b++) {
            present[b] = vocabulary.idOf(String.valueOf(ByteAlphabet.charOf((byte) b))) >= 0;
        }
        return present;
    }

    private static boolean allThatUtf8Has(boolean[] present) {
        for (int b = 0; b < BYTES; b++) {
            boolean never = b == 0xC0 || b == 0xC1 || b > 0xF4;
            if (!present[b] && !never) {
                return false;
            }
        }
        return true;
    }

    /** Characters that are tokens of their own, or a row of byte tokens: those are covered by tokens that are not the unknown one. */
    private static BitSet known(Vocabulary vocabulary, boolean[] byteTokens) {
        BitSet known = new BitSet();
        for (int id = 0; id < vocabulary.size(); id++) {
            String text = vocabulary.text(id);
            if (!text.isEmpty() && text.codePointCount(0, text.length()) == 1 && vocabulary.idOf(text) >= 0) {
                known.set(text.codePointAt(0));
            }
        }
        for (int c = 0; c <= Character.MAX_CODE_POINT; c++) {
            boolean bytes = c < Character.MIN_SURROGATE || c > Character.MAX_SURROGATE;
            for (int i = 0, n = utf8Length(c); i < n && bytes; i++) {
                bytes = byteTokens[utf8Byte(c, i, n)];
            }
            if (bytes) {
                known.set(c);
            }
        }
        known.set(' ', known.get(Vocabulary.ESCAPED_SPACE)); // as which it is looked up
        return known;
    }

    /** At most as many as any encoding of the text has. */
    long of(String text) {
        long sum = 0;
        for (int i = 0; i < text.length(); ) {
            int c = text.codePointAt(i);
            i += Character.charCount(c);
            if (c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE) {
                c = 0xFFFD; // as Utf8.repair
            }
            if ((known == null || known.get(c)) && !(skipsSpace && isSpace(c))) {
                sum += share(c);
            }
        }
        return (sum >>> FRACTION_BITS) + ((sum & ((1L << FRACTION_BITS) - 1)) == 0 ? 0 : 1);
    }

    /** A lower bound whatever characters become, as long as they become at most {@code factor} times shorter in UTF-8. */
    long ofShortened(String text, int factor) {
        long bytes = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            bytes += c < 0x80 ? 1 : c < 0x800 || Character.isSurrogate(c) ? 2 : 3;
        }
        return known != null || skipsSpace ? 0 : Math.ceilDiv(Math.ceilDiv(bytes, (long) factor) * smallestShare(), 1L << FRACTION_BITS);
    }

    private long smallestShare() {
        long smallest = Long.MAX_VALUE;
        for (int b = 0; b < BYTES; b++) {
            boolean never = b == 0xC0 || b == 0xC1 || b > 0xF4;
            smallest = never ? smallest : Math.min(smallest, shares[b]);
        }
        return smallest;
    }

    private static boolean isSpace(int c) {
        return (c >= '\t' && c <= '\r') || c == 0x85 || Character.isSpaceChar(c);
    }

    private long share(int c) {
        if (c < 0x80) {
            return shares[c];
        }
        long sum = 0;
        for (int i = 0, n = utf8Length(c); i < n; i++) {
            sum += shares[utf8Byte(c, i, n)];
        }
        return sum;
    }

    private static int utf8Length(int c) {
        return c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    }

    /** The i-th of the n bytes of a character. */
    private static int utf8Byte(int c, int i, int n) {
        if (n == 1) {
            return c;
        }
        int bits = c >>> (6 * (n - 1 - i));
        return i == 0 ? ((0xF00 >> n) & 0xFF) | bits : 0x80 | (bits & 0x3F);
    }
}
