package dev.tidestream.model.gguf;

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
     * An array, checked when the file was opened and decoded when it is asked for: its bytes stay in the file, so it can be
     * read until the file is closed. Immutable; any thread.
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
