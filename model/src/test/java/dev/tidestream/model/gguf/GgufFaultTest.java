package dev.tidestream.model.gguf;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** One malformed file of each kind; every message names the file, the key or tensor, and the value. */
class GgufFaultTest {

    private static GgufFile open(byte[] bytes) {
        MemorySegment image = Arena.ofAuto().allocate(Math.max(bytes.length, 1), 64).asSlice(0, bytes.length);
        return GgufFile.of(image.copyFrom(MemorySegment.ofArray(bytes)), "bad.gguf");
    }

    private static void assertRefused(String message, byte[] bytes) {
        String actual = assertThrows(GgufException.class, () -> open(bytes)).getMessage();
        assertEquals("bad.gguf: " + message, actual);
    }

    private static void assertRefused(String message, GgufWriter writer) {
        assertRefused(message, writer.toByteArray());
    }

    private static ByteBuffer le(int size) {
        return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static byte[] header(int version, long tensors, long metadata) {
        return le(24).put("GGUF".getBytes(StandardCharsets.US_ASCII)).putInt(version).putLong(tensors).putLong(metadata).array();
    }

    private static byte[] arrayHead(int typeId, long count) {
        return le(12).putInt(typeId).putLong(count).array();
    }

    @Test
    void shouldRefuseAForeignMagic() {
        assertRefused("header: magic 0x04034b50 is not 'GGUF' (0x46554747): not a GGUF file", le(64).putInt(0x04034b50).array());
        assertRefused("header: file ends at byte 0 inside magic, which needs 4 bytes at byte 0", new byte[0]);
    }

    @ParameterizedTest
    @CsvSource({"0", "1", "4", "4294967295"})
    void shouldRefuseOtherVersions(String version) {
        assertRefused("header: version " + version + " is not supported: only 2 and 3 are",
                header((int) Long.parseLong(version), 0, 0));
    }

    @Test
    void shouldRefuseBigEndianFiles() {
        assertRefused("header: version 0x03000000: a big-endian file (version 3), which is not supported",
                header(0x03000000, 0, 0));
        byte[] reversed = header(3, 0, 0);
        System.arraycopy("FUGG".getBytes(StandardCharsets.US_ASCII), 0, reversed, 0, 4);
        assertRefused("header: magic 'FUGG': a big-endian file, which is not supported", reversed);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 1L << 40, Long.MAX_VALUE, -1})
    void shouldRefuseCountsThatCannotFit(long count) {
        String number = Long.toUnsignedString(count);
        assertRefused("header: tensor count " + number + " does not fit: at least 33 bytes each, 0 bytes remain",
                header(3, count, 0));
        assertRefused("header: metadata count " + number + " does not fit: at least 14 bytes each, 0 bytes remain",
                header(3, 0, count));
    }

    @ParameterizedTest
    @ValueSource(longs = {9, 1L << 60, Long.MAX_VALUE, -1})
    void shouldRefuseArrayCountsThatCannotFit(long count) {
        assertRefused("metadata key 'a': array count %s does not fit: at least 4 bytes each, 0 bytes remain"
                .formatted(Long.toUnsignedString(count)),
                new GgufWriter().raw("a", GgufValueType.ARRAY, arrayHead(GgufValueType.U32.id(), count)));
    }

    @ParameterizedTest
    @ValueSource(longs = {4, 1L << 60, Long.MAX_VALUE, -1})
    void shouldRefuseLengthsThatCannotFit(long length) {
        byte[] value = le(8 + 3).putLong(length).array();
        String number = Long.toUnsignedString(length);
        assertRefused("metadata key 's': string length " + number + " does not fit: 3 bytes remain",
                new GgufWriter().raw("s", GgufValueType.STRING, value));
        byte[] array = le(12 + 8 + 3).put(arrayHead(GgufValueType.STRING.id(), 1)).put(value).array();
        assertRefused("metadata key 's': string length " + number + " does not fit: 3 bytes remain",
                new GgufWriter().raw("s", GgufValueType.ARRAY, array));
    }

    @ParameterizedTest
    @ValueSource(longs = {31, 1L << 60, Long.MAX_VALUE, -1})
    void shouldRefuseNamesThatCannotFit(long length) {
        String number = Long.toUnsignedString(length);
        assertRefused("metadata entry 0 of 1: key length " + number + " does not fit: 30 bytes remain",
                le(24 + 38).put(header(3, 0, 1)).putLong(length).array());
        assertRefused("tensor 0 of 1: name length " + number + " does not fit: 30 bytes remain",
                le(24 + 38).put(header(3, 1, 0)).putLong(length).array());
    }

    @Test
    void shouldRefuseTextAboveTheLimit() {
        int bytes = (1 << 24) + 1;
        assertRefused("metadata key 's': string length 16777217 is above the limit of 16777216 bytes",
                new GgufWriter().raw("s", GgufValueType.STRING, le(8 + bytes).putLong(bytes).array()));
        assertRefused("metadata entry 0 of 1: key length 65536 is above the limit of 65535 bytes",
                new GgufWriter().raw(new byte[65536], 0, new byte[1]));
    }

    @Test
    void shouldRefuseUnknownValueTypes() {
        assertRefused("metadata key 'a': value type 13 is unknown", new GgufWriter().raw(new byte[] {'a'}, 13, new byte[8]));
        assertRefused("metadata key 'a': value type 4294967295 is unknown",
                new GgufWriter().raw("a", GgufValueType.ARRAY, arrayHead(-1, 0)));
    }

    @Test
    void shouldRefuseBoolsThatAreNone() {
        assertRefused("metadata key 'b': value 2 is no bool: 0 or 1",
                new GgufWriter().raw("b", GgufValueType.BOOL, le(1).put((byte) 2).array()));
        byte[] array = le(12 + 2).put(arrayHead(GgufValueType.BOOL.id(), 2)).put((byte) 1).put((byte) 7).array();
        assertRefused("metadata key 'b': value 7 is no bool: 0 or 1", new GgufWriter().raw("b", GgufValueType.ARRAY, array));
    }

    @Test
    void shouldRefuseDeepNesting() {
        byte[] value = new byte[12 * 1000];
        for (int depth = 0; depth < 1000; depth++) {
            System.arraycopy(arrayHead(GgufValueType.ARRAY.id(), 1), 0, value, 12 * depth, 12);
        }
        assertRefused("metadata key 'deep': arrays are nested deeper than 4",
                new GgufWriter().raw("deep", GgufValueType.ARRAY, value));
    }

    @Test
    void shouldRefuseBadKeys() {
        assertRefused("metadata key 'k': the key occurs twice", new GgufWriter().u32("k", 1).string("k", "x"));
        assertRefused("metadata entry 0 of 1: key is empty", new GgufWriter().u32("", 1));
        assertRefused("metadata entry 0 of 1: key 'a\ufffd' is not UTF-8",
                new GgufWriter().raw(new byte[] {'a', (byte) 0xc3}, 0, new byte[1]));
        assertRefused("metadata key 'a\\u000ab': value type 99 is unknown",
                new GgufWriter().raw(new byte[] {'a', '\n', 'b'}, 99, new byte[1]));
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 1, 4, 24, 33, 1L << 21, 1L << 31})
    void shouldRefuseBadAlignment(long alignment) {
        assertRefused("metadata key 'general.alignment': alignment %d is no power of two from 8 to 1048576".formatted(alignment),
                new GgufWriter().u32("general.alignment", alignment));
    }

    @Test
    void shouldRefuseAlignmentThatIsNoInteger() {
        assertRefused("metadata key 'general.alignment': expected integer, found string 32",
                new GgufWriter().string("general.alignment", "32"));
    }

    @Test
    void shouldRefuseBadTensorNames() {
        assertRefused("tensor 't': the name occurs twice",
                new GgufWriter().tensor("t", new float[8], 8).tensor("t", new float[8], 8));
        assertRefused("tensor 0 of 1: name is empty", new GgufWriter().tensor("", new float[8], 8));
    }

    @Test
    void shouldRefuseUnknownTensorTypes() {
        assertRefused("tensor 't': type 99 is unknown", new GgufWriter().tensorAt(0, "t", 99, new byte[32], 8));
        assertRefused("tensor 't': type 4 is unknown", new GgufWriter().tensorAt(0, "t", 4, new byte[32], 8));
    }

    @Test
    void shouldRefuseBadDimensions() {
        assertRefused("tensor 't': dimension count 0 is not 1 to 4", new GgufWriter().tensorAt(0, "t", 0, new byte[64]));
        assertRefused("tensor 't': dimension count 5 is not 1 to 4",
                new GgufWriter().tensorAt(0, "t", 0, new byte[64], 1, 1, 1, 1, 1));
        assertRefused("tensor 't': dimension 0 of [8, 0] is out of range",
                new GgufWriter().tensorAt(0, "t", 0, new byte[64], 8, 0));
        assertRefused("tensor 't': dimension 18446744073709551615 of [18446744073709551615] is out of range",
                new GgufWriter().tensorAt(0, "t", 0, new byte[64], -1));
        assertRefused("tensor 't': dimension 4294967296 of [4294967296, 4294967296] is out of range",
                new GgufWriter().tensorAt(0, "t", 0, new byte[64], 1L << 32, 1L << 32));
        assertRefused("tensor 't': dimensions [4611686018427387904] of F32 are out of range",
                new GgufWriter().tensorAt(0, "t", 0, new byte[64], 1L << 62));
        assertRefused("tensor 't': dimension 33 of [33, 2] is no multiple of the 32 elements of a Q8_0 block",
                new GgufWriter().tensorAt(0, "t", 8, new byte[102], 33, 2));
    }

    @ParameterizedTest
    @CsvSource({"32", "64", "1099511627776", "-32"})
    void shouldRefuseTensorsOutsideTheFile(long offset) {
        assertRefused("tensor 't': offset %s + 32 bytes (F32 [8]) is outside the 32 bytes of tensor data"
                .formatted(Long.toUnsignedString(offset)),
                new GgufWriter().tensorAt(offset, "t", 0, new byte[32], 8));
    }

    @Test
    void shouldRefuseTensorsBeyondATruncatedEnd() {
        byte[] bytes = new GgufWriter().tensor("t", new float[8], 8).toByteArray();
        assertRefused("tensor 't': offset 0 + 32 bytes (F32 [8]) is outside the 31 bytes of tensor data",
                Arrays.copyOf(bytes, bytes.length - 1));
        assertRefused("tensor 't': offset 0 + 32 bytes (F32 [8]) is outside the 0 bytes of tensor data",
                Arrays.copyOf(bytes, bytes.length - 33));
    }

    @Test
    void shouldRefuseMisalignedTensors() {
        assertRefused("tensor 't': offset 16 is no multiple of the alignment 32",
                new GgufWriter().tensorAt(16, "t", 0, new byte[64], 8));
    }

    @Test
    void shouldRefuseOverlappingTensors() {
        String message = assertThrows(GgufException.class, () -> open(new GgufWriter()
                .tensorAt(0, "a", 0, new byte[64], 9).tensorAt(32, "b", 0, new byte[32], 8).toByteArray())).getMessage();
        assertTrue(message.matches(
                "bad.gguf: tensor 'b': begins at byte \\d+, inside tensor 'a' \\(bytes \\d+ to \\d+\\)"), message);
    }

    @Test
    void shouldRefuseEveryTruncation() {
        byte[] bytes = new GgufWriter().string("s", "text").strings("a", List.of("x", "y")).bool("b", true)
                .floats("f", 1, 2).tensor("t", new float[8], 8).toByteArray();
        assertFalse(open(bytes).tensors().isEmpty());
        for (int end = 0; end < bytes.length; end++) {
            byte[] truncated = Arrays.copyOf(bytes, end);
            assertTrue(assertThrows(GgufException.class, () -> open(truncated)).getMessage().startsWith("bad.gguf: "));
        }
    }

    @Test
    void shouldKeepMessagesOnOneShortLine() {
        String key = "\n".repeat(60_000);
        byte[] bytes = new GgufWriter().raw(key.getBytes(StandardCharsets.UTF_8), 99, new byte[1]).toByteArray();
        String message = assertThrows(GgufException.class, () -> open(bytes)).getMessage();
        assertTrue(message.length() < 1000 && message.lines().count() == 1, message);
    }
}
