package dev.tidestream.server.transport.websocket;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;

class Utf8CheckerTest {
    /** Bytes at both sides of every boundary there is. */
    private static final List<Integer> BOUNDARIES = List.of(
            0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE, 0xEF, 0xF0,
            0xF1, 0xF3, 0xF4, 0xF5, 0xFF);

    /** At which byte the checker refuses; the length if at none. */
    private static int refusedAt(Utf8Checker checker, byte... bytes) {
        for (int i = 0; i < bytes.length; i++) {
            if (!checker.accept(ByteBuffer.wrap(bytes, i, 1))) {
                return i;
            }
        }
        return bytes.length;
    }

    private static boolean isValid(byte... bytes) {
        try {
            StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes));
            return true;
        } catch (CharacterCodingException e) {
            return false;
        }
    }

    /** The JDK is the oracle of whole texts. */
    @Test
    void shouldTakeWhatTheJdkTakes() {
        for (int a : BOUNDARIES) {
            for (int b : BOUNDARIES) {
                for (int c : BOUNDARIES) {
                    for (int d : BOUNDARIES) {
                        byte[] bytes = {(byte) a, (byte) b, (byte) c, (byte) d};
                        Utf8Checker checker = new Utf8Checker();
                        boolean taken = refusedAt(checker, bytes) == bytes.length && checker.isComplete();
                        assertEquals(isValid(bytes), taken, Arrays.toString(bytes));
                    }
                }
            }
        }
    }

    /** A prefix is taken if, and only if, something can follow that makes it valid. */
    @Test
    void shouldRefuseAtTheFirstByteThatNothingCanMend() {
        List<byte[]> endings = List.of(new byte[0], bytes(0x80), bytes(0x9F), bytes(0xA0), bytes(0x80, 0x80), bytes(0x8F, 0x80),
                bytes(0x90, 0x80), bytes(0xA0, 0x80), bytes(0x80, 0x80, 0x80), bytes(0x90, 0x80, 0x80));
        for (int a : BOUNDARIES) {
            for (int b : BOUNDARIES) {
                for (int c : BOUNDARIES) {
                    byte[] bytes = bytes(a, b, c);
                    int expected = (int) IntStream.rangeClosed(1, bytes.length)
                            .takeWhile(n -> endings.stream().anyMatch(end -> isValid(concat(Arrays.copyOf(bytes, n), end))))
                            .count();
                    assertEquals(expected, refusedAt(new Utf8Checker(), bytes), Arrays.toString(bytes));
                }
            }
        }
    }

    @Test
    void shouldJudgeManyBytesAsItJudgesOne() {
        SplittableRandom random = new SplittableRandom(7);
        for (int i = 0; i < 2000; i++) {
            byte[] bytes = ("a".repeat(random.nextInt(40)) + "é🌊").repeat(1 + random.nextInt(4)).getBytes(StandardCharsets.UTF_8);
            if (random.nextBoolean()) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
            }
            Utf8Checker one = new Utf8Checker();
            Utf8Checker many = new Utf8Checker();
            boolean expected = refusedAt(one, bytes) == bytes.length;
            assertEquals(expected, many.accept(ByteBuffer.wrap(bytes)), Arrays.toString(bytes));
            if (expected) {
                assertEquals(one.isComplete(), many.isComplete());
            }
        }
    }

    private static byte[] bytes(int... values) {
        byte[] bytes = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
            bytes[i] = (byte) values[i];
        }
        return bytes;
    }

    private static byte[] concat(byte[] a, byte[] b) {
        return ByteBuffer.allocate(a.length + b.length).put(a).put(b).array();
    }
}
