package dev.tidestream.model.gguf;

import java.nio.charset.StandardCharsets;
import java.util.AbstractList;
import java.util.RandomAccess;

/**
 * An array of strings as it is in a file: one run of UTF-8. A string is made when it is asked for, and not kept, since as objects the
 * 128,000 texts of a vocabulary take several times their bytes. What is not UTF-8 is U+FFFD. Immutable; any thread.
 */
final class StringArray extends AbstractList<String> implements RandomAccess {
    private final byte[] utf8;
    private final int[] ends; // of each string, in utf8

    private StringArray(byte[] utf8, int[] ends) {
        this.utf8 = utf8;
        this.ends = ends;
    }

    /**
     * Copies an array, so that the file may be closed.
     *
     * @param elements at the first of them; moved behind the last
     * @throws GgufException if it is longer than a Java array
     */
    static StringArray read(Cursor elements, int count) {
        Cursor measure = elements.copy();
        long bytes = 0;
        for (int i = 0; i < count; i++) {
            bytes += measure.skipText();
        }
        if (bytes > Integer.MAX_VALUE - Long.BYTES) {
            throw elements.fault("%d strings are too long together: bytes=%d".formatted(count, bytes));
        }
        byte[] utf8 = new byte[(int) bytes];
        int[] ends = new int[count];
        int at = 0;
        for (int i = 0; i < count; i++) {
            at += elements.copyText(utf8, at);
            ends[i] = at;
        }
        return new StringArray(utf8, ends);
    }

    @Override
    public String get(int index) {
        int end = ends[index];
        int start = index == 0 ? 0 : ends[index - 1];
        return new String(utf8, start, end - start, StandardCharsets.UTF_8);
    }

    @Override
    public int size() {
        return ends.length;
    }
}
