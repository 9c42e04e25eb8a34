package dev.tidestream.model.gguf;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class GgufMetadataTest {

    private static GgufMetadata metadata(GgufWriter writer) {
        byte[] bytes = writer.toByteArray();
        MemorySegment image = Arena.ofAuto().allocate(bytes.length, 64).copyFrom(MemorySegment.ofArray(bytes));
        return GgufFile.of(image, "test.gguf").metadata();
    }

    private static void assertRefused(String message, Executable call) {
        assertEquals("test.gguf: metadata key " + message, assertThrows(GgufException.class, call).getMessage());
    }

    private static byte[] le(long value, int bytes) {
        byte[] all = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array();
        return Arrays.copyOf(all, bytes);
    }

    @Test
    void shouldAcceptIntegersOfAnyWidth() {
        GgufMetadata metadata = metadata(new GgufWriter()
                .raw("u8", GgufValueType.U8, le(200, 1))
                .raw("i8", GgufValueType.I8, le(-3, 1))
                .raw("u16", GgufValueType.U16, le(65535, 2))
                .raw("i16", GgufValueType.I16, le(-2, 2))
                .u32("u32", 4294967295L)
                .i32("i32", -1)
                .u64("u64", 7)
                .raw("i64", GgufValueType.I64, le(-9, 8))
                .u64("huge", -1));
        assertEquals(200, metadata.integer("u8"));
        assertEquals(-3, metadata.integer("i8"));
        assertEquals(65535, metadata.integer("u16"));
        assertEquals(-2, metadata.integer("i16"));
        assertEquals(4294967295L, metadata.u32("u32"));
        assertEquals(-1, metadata.integer("i32"));
        assertEquals(7, metadata.integer("u64"));
        assertEquals(-9, metadata.int64("i64"));
        assertEquals(List.of("u8", "i8", "u16", "i16", "u32", "i32", "u64", "i64", "huge"), List.copyOf(metadata.keys()));
        assertRefused("'u32': value 4294967295 (u32) is not from -2147483648 to 2147483647", () -> metadata.integer("u32"));
        assertRefused("'i32': value -1 (i32) is not from 0 to 4294967295", () -> metadata.u32("i32"));
        assertRefused("'huge': value 18446744073709551615 (u64) is not from -9223372036854775808 to 9223372036854775807",
                () -> metadata.int64("huge"));
    }

    @Test
    void shouldReadScalars() {
        GgufMetadata metadata = metadata(new GgufWriter()
                .string("s", "grüße")
                .raw("bytes", GgufValueType.STRING, new byte[] {2, 0, 0, 0, 0, 0, 0, 0, 'a', (byte) 0xff})
                .float32("f32", 1e-5f)
                .raw("f64", GgufValueType.F64, le(Double.doubleToLongBits(0.1), 8))
                .bool("yes", true)
                .bool("no", false));
        assertEquals("grüße", metadata.string("s"));
        assertEquals("a\ufffd", metadata.string("bytes"));
        assertEquals(1e-5f, metadata.float32("f32"));
        assertEquals(0.1f, metadata.float32("f64"));
        assertTrue(metadata.bool("yes"));
        assertEquals(false, metadata.findBool("no").orElseThrow());
    }

    @Test
    void shouldReadArrays() {
        GgufMetadata metadata = metadata(new GgufWriter()
                .strings("s", List.of("a", "", "ö"))
                .floats("f", 1f, -0.5f)
                .ints("i", 1, -2, 3));
        assertEquals(List.of("a", "", "ö"), metadata.strings("s"));
        assertArrayEquals(new float[] {1f, -0.5f}, metadata.floats("f"));
        assertArrayEquals(new int[] {1, -2, 3}, metadata.ints("i"));
        GgufValue.ArrayValue array = (GgufValue.ArrayValue) metadata.value("i");
        assertEquals(3, array.count());
        assertEquals(GgufValueType.I32, array.elementType());
        assertEquals("i32[3]", array.toString());
        assertEquals(List.of("1", "-2"), array.first(2).stream().map(Object::toString).toList());
    }

    @Test
    void shouldReadNestedArrays() {
        byte[] inner = {0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 5, 6}; // u8[2]
        byte[] outer = ByteBuffer.allocate(12 + 28).order(ByteOrder.LITTLE_ENDIAN)
                .putInt(GgufValueType.ARRAY.id()).putLong(2).put(inner).put(inner).array();
        GgufMetadata metadata = metadata(new GgufWriter().raw("n", GgufValueType.ARRAY, outer).string("after", "x"));
        assertEquals("x", metadata.string("after"));
        List<GgufValue> elements = ((GgufValue.ArrayValue) metadata.value("n")).first(10);
        assertEquals("[u8[2], u8[2]]", elements.toString());
        assertEquals("[5, 6]", ((GgufValue.ArrayValue) elements.get(1)).first(10).toString());
    }

    @Test
    void shouldTellMissingKeysFromWrongTypes() {
        GgufMetadata metadata = metadata(new GgufWriter()
                .string("s", "text").u32("u", 7).floats("f", 1f).ints("i", 70000).strings("t", List.of("x")));
        assertTrue(metadata.findString("x").isEmpty());
        assertTrue(metadata.findInteger("x").isEmpty());
        assertTrue(metadata.findU32("x").isEmpty());
        assertTrue(metadata.findInt64("x").isEmpty());
        assertTrue(metadata.findFloat32("x").isEmpty());
        assertTrue(metadata.findStrings("x").isEmpty());
        assertRefused("'x' is missing", () -> metadata.string("x"));
        assertRefused("'x' is missing", () -> metadata.ints("x"));
        assertRefused("'u': expected string, found u32 7", () -> metadata.findString("u"));
        assertRefused("'s': expected integer, found string text", () -> metadata.integer("s"));
        assertRefused("'u': expected float, found u32 7", () -> metadata.float32("u"));
        assertRefused("'s': expected bool, found string text", () -> metadata.bool("s"));
        assertRefused("'f': expected array of strings, found f32[1]", () -> metadata.strings("f"));
        assertRefused("'t': expected array of floats, found string[1]", () -> metadata.floats("t"));
        assertRefused("'f': expected array of integers, found f32[1]", () -> metadata.ints("f"));
        assertRefused("'u': expected array of integers, found u32 7", () -> metadata.ints("u"));
    }
}
