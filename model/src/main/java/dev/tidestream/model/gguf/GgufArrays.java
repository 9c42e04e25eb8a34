package dev.tidestream.model.gguf;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Arrays of metadata that come from no file, in the form in which files have them. */
public final class GgufArrays {
    private static final String NO_FILE = "in memory";

    private GgufArrays() {}

    /** An array of strings. */
    public static GgufValue.ArrayValue strings(List<String> texts) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (String text : texts) {
            byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
            bytes.writeBytes(buffer(Long.BYTES).putLong(utf8.length).array());
            bytes.writeBytes(utf8);
        }
        return array(bytes.toByteArray(), GgufValueType.STRING, texts.size());
    }

    /** An array of float32. */
    public static GgufValue.ArrayValue floats(float[] values) {
        ByteBuffer bytes = buffer(values.length * Float.BYTES);
        bytes.asFloatBuffer().put(values);
        return array(bytes.array(), GgufValueType.F32, values.length);
    }

    /** An array of int32. */
    public static GgufValue.ArrayValue ints(int[] values) {
        ByteBuffer bytes = buffer(values.length * Integer.BYTES);
        bytes.asIntBuffer().put(values);
        return array(bytes.array(), GgufValueType.I32, values.length);
    }

    /** An array of bytes. */
    public static GgufValue.ArrayValue bytes(byte[] values) {
        return array(values.clone(), GgufValueType.U8, values.length);
    }

    private static ByteBuffer buffer(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static GgufValue.ArrayValue array(byte[] bytes, GgufValueType type, int count) {
        return new GgufValue.ArrayValue(new Cursor(MemorySegment.ofArray(bytes), NO_FILE), type, count);
    }
}
