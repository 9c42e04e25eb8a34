package dev.tidestream.model.gguf;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** One value of a file's metadata. */
public sealed interface GgufValue {

    /** Its type in the file. */
    GgufValueType type();

    /**
     * An integer of any width.
     *
     * @param value of U64 the 64 bits; of all other types the number
     */
    record IntegerValue(GgufValueType type, long value) implements GgufValue {
        @Override
        public String toString() {
            return type == GgufValueType.U64 ? Long.toUnsignedString(value) : Long.toString(value);
        }
    }

    /** A float32 or float64. */
    record FloatValue(GgufValueType type, double value) implements GgufValue {
        @Override
        public String toString() {
            return type == GgufValueType.F32 ? Float.toString((float) value) : Double.toString(value);
        }
    }

    /** True or false. */
    record BoolValue(boolean value) implements GgufValue {
        @Override
        public GgufValueType type() {
            return GgufValueType.BOOL;
        }

        @Override
        public String toString() {
            return Boolean.toString(value);
        }
    }

    /** Text; what was not UTF-8 is U+FFFD. */
    record StringValue(String value) implements GgufValue {
        @Override
        public GgufValueType type() {
            return GgufValueType.STRING;
        }

        @Override
        public String toString() {
            return value;
        }
    }

    /**
     * An array, checked when the file was opened and decoded when it is asked for: its bytes stay in the file, if it is of one, so
     * it can be read until the file is closed. Immutable; any thread.
     */
    final class ArrayValue implements GgufValue {
        private final Cursor elements; // never moved: positioned at the first element
        private final GgufValueType elementType;
        private final int count;

        ArrayValue(Cursor elements, GgufValueType elementType, int count) {
            this.elements = elements;
            this.elementType = elementType;
            this.count = count;
        }

        /** An array of strings. */
        public static ArrayValue ofStrings(List<String> texts) {
            List<byte[]> all = texts.stream().map(text -> text.getBytes(StandardCharsets.UTF_8)).toList();
            ByteBuffer bytes = buffer(all.stream().mapToLong(text -> (long) Long.BYTES + text.length).sum());
            all.forEach(text -> bytes.putLong(text.length).put(text));
            return of(bytes, GgufValueType.STRING, all.size());
        }

        /** An array of float32. */
        public static ArrayValue ofFloats(float... values) {
            ByteBuffer bytes = buffer((long) values.length * Float.BYTES);
            for (float value : values) {
                bytes.putFloat(value);
            }
            return of(bytes, GgufValueType.F32, values.length);
        }

        /** An array of signed 32-bit integers. */
        public static ArrayValue ofInts(int... values) {
            ByteBuffer bytes = buffer((long) values.length * Integer.BYTES);
            for (int value : values) {
                bytes.putInt(value);
            }
            return of(bytes, GgufValueType.I32, values.length);
        }

        /** An array of truths. */
        public static ArrayValue ofBools(boolean... values) {
            ByteBuffer bytes = buffer(values.length);
            for (boolean value : values) {
                bytes.put((byte) (value ? 1 : 0));
            }
            return of(bytes, GgufValueType.BOOL, values.length);
        }

        private static ByteBuffer buffer(long bytes) {
            return ByteBuffer.allocate(Math.toIntExact(bytes)).order(ByteOrder.LITTLE_ENDIAN);
        }

        private static ArrayValue of(ByteBuffer bytes, GgufValueType elementType, int count) {
            return new ArrayValue(new Cursor(MemorySegment.ofBuffer(bytes.flip()).asReadOnly(), "array"), elementType, count);
        }

        @Override
        public GgufValueType type() {
            return GgufValueType.ARRAY;
        }

        /** The one type of all elements. */
        public GgufValueType elementType() {
            return elementType;
        }

        /** Number of elements. */
        public int count() {
            return count;
        }

        /** The first {@code limit} elements, or all if there are fewer. */
        public List<GgufValue> first(int limit) {
            Cursor cursor = elements.copy();
            List<GgufValue> values = new ArrayList<>(Math.min(limit, count));
            for (int i = 0; i < count && i < limit; i++) {
                values.add(GgufParser.value(cursor, elementType, 1));
            }
            return List.copyOf(values);
        }

        /** Fresh, at the first element. */
        Cursor cursor() {
            return elements.copy();
        }

        /** Strings, in a list of its own that cannot be changed. */
        List<String> strings() {
            return StringArray.read(elements.copy(), count);
        }

        @Override
        public String toString() {
            return "%s[%d]".formatted(elementType.label(), count);
        }
    }
}
