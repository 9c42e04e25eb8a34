package dev.tidestream.model.tokenizer.normalizer;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * SentencePiece's {@code precompiled_charsmap}: the longest beginning of the text that the table has is replaced, then what follows it. The
 * table is a trie over UTF-8 as a Darts double array (a length in bytes, units of 32 bits, little-endian), and behind it replacements, each
 * ended by a zero byte. Immutable; any thread.
 */
public final class CharsMap {
    private static final int NONE = -1;
    private static final int MOST_KEY_BYTES = 256; // the tables of SentencePiece have some 20
    private static final int MOST_REPLACEMENT_BYTES = 1024; // they have some 40

    private final byte[] bytes;
    private final int[] units;
    private final int replacements; // where they begin
    private final int longest; // bytes of the longest replacement

    private CharsMap(byte[] bytes, int[] units, int replacements, int longest) {
        this.longest = longest;
        this.bytes = bytes;
        this.units = units;
        this.replacements = replacements;
    }

    /**
     * @param bytes as in the file; nobody changes them
     * @throws IllegalArgumentException if the lengths contradict themselves, or a replacement is too long; any units are taken: a walk that
     *     leaves the array finds nothing, and none is longer than 256 bytes
     */
    public static CharsMap of(byte[] bytes) {
        ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        long length = bytes.length < Integer.BYTES ? -1 : buffer.getInt() & 0xFFFF_FFFFL;
        if (length < Integer.BYTES || length % Integer.BYTES != 0 || length > bytes.length - Integer.BYTES) {
            throw new IllegalArgumentException("precompiled_charsmap: the trie does not fit: trie=%d, bytes=%d".formatted(length, bytes.length));
        }
        int[] units = new int[(int) length / Integer.BYTES];
        buffer.asIntBuffer().get(units);
        int replacements = Integer.BYTES + (int) length;
        int longest = longestReplacement(bytes, replacements);
        if (longest > MOST_REPLACEMENT_BYTES) {
            throw new IllegalArgumentException("precompiled_charsmap: a replacement is too long: bytes=%d, limit=%d"
                    .formatted(longest, MOST_REPLACEMENT_BYTES));
        }
        return new CharsMap(bytes, units, replacements, longest);
    }

    private static int longestReplacement(byte[] bytes, int replacements) {
        int longest = 1;
        int start = replacements;
        for (int i = replacements; i <= bytes.length; i++) {
            if (i == bytes.length || bytes[i] == 0) {
                longest = Math.max(longest, i - start);
                start = i + 1;
            }
        }
        return longest;
    }

    /** Bytes of the longest replacement, at least 1. */
    int longestReplacement() {
        return longest;
    }

    /** As in the file. */
    public byte[] bytes() {
        return bytes.clone();
    }

    /** The text with all replacements. */
    public String apply(String text) {
        byte[] input = text.getBytes(StandardCharsets.UTF_8);
        StringBuilder output = new StringBuilder(text.length());
        int at = 0;
        int kept = 0; // from here to at nothing is replaced
        while (at < input.length) {
            long found = longest(input, at);
            if (found == NONE) {
                at += width(input[at]);
                continue;
            }
            output.append(new String(input, kept, at - kept, StandardCharsets.UTF_8)).append(replacement((int) (found >>> Integer.SIZE)));
            at += (int) found;
            kept = at;
        }
        return output.append(new String(input, kept, input.length - kept, StandardCharsets.UTF_8)).toString();
    }

    /** Bytes of the longest beginning and, above them, where its replacement is; {@link #NONE} if there is none. */
    private long longest(byte[] input, int from) {
        long found = NONE;
        int node = offset(units[0]);
        for (int i = from; i < Math.min(input.length, from + MOST_KEY_BYTES); i++) {
            node ^= input[i] & 0xFF;
            if (node < 0 || node >= units.length) {
                break;
            }
            int unit = units[node];
            if ((unit & 0x8000_00FF) != (input[i] & 0xFF)) {
                break;
            }
            node ^= offset(unit);
            if ((unit >>> 8 & 1) != 0 && node >= 0 && node < units.length && endsWhole(input, i + 1)) {
                found = ((long) (units[node] & 0x7FFF_FFFF) << Integer.SIZE) | (i + 1 - from);
            }
        }
        return found;
    }

    private static int offset(int unit) {
        return (unit >>> 10) << ((unit & 0x200) >>> 6);
    }

    private static boolean endsWhole(byte[] input, int end) {
        return end == input.length || (input[end] & 0xC0) != 0x80;
    }

    private static int width(byte lead) {
        int b = lead & 0xFF;
        return b < 0xC0 ? 1 : b < 0xE0 ? 2 : b < 0xF0 ? 3 : 4;
    }

    private String replacement(int offset) {
        long start = (long) replacements + offset;
        if (start >= bytes.length) {
            return "";
        }
        int end = (int) start;
        while (end < bytes.length && bytes[end] != 0) {
            end++;
        }
        return new String(bytes, (int) start, end - (int) start, StandardCharsets.UTF_8);
    }
}
