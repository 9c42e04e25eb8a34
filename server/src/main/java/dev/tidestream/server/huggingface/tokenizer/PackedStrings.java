package dev.tidestream.server.huggingface.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.AbstractList;
import java.util.Arrays;
import java.util.Objects;
import java.util.RandomAccess;

import dev.tidestream.model.tokenizer.TokenizerException;

/** Strings as one run of UTF-8: as objects the texts of a vocabulary take several times their bytes. Grows at its end; made by one thread. */
final class PackedStrings extends AbstractList<String> implements RandomAccess {
    private byte[] utf8 = new byte[1 << 10];
    private int[] ends = new int[1 << 7];
    private int count;

    @Override
    public boolean add(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        int start = count == 0 ? 0 : ends[count - 1];
        if (start > Integer.MAX_VALUE - 8 - bytes.length) {
            throw new TokenizerException("the vocabulary is too large: bytes=%d".formatted((long) start + bytes.length));
        }
        if (start + bytes.length > utf8.length) {
            utf8 = Arrays.copyOf(utf8, (int) Math.min(Integer.MAX_VALUE - 8, 2L * (start + bytes.length)));
        }
        if (count == ends.length) {
            ends = Arrays.copyOf(ends, 2 * count);
        }
        System.arraycopy(bytes, 0, utf8, start, bytes.length);
        ends[count++] = start + bytes.length;
        modCount++;
        return true;
    }

    /** Gives back what is not used. */
    PackedStrings trimmed() {
        ends = Arrays.copyOf(ends, count);
        utf8 = Arrays.copyOf(utf8, count == 0 ? 0 : ends[count - 1]);
        return this;
    }

    @Override
    public String get(int index) {
        Objects.checkIndex(index, count);
        int start = index == 0 ? 0 : ends[index - 1];
        return new String(utf8, start, ends[index] - start, StandardCharsets.UTF_8);
    }

    @Override
    public int size() {
        return count;
    }
}
