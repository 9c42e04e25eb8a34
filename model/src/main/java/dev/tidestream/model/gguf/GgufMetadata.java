package dev.tidestream.model.gguf;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Function;

/**
 * The key-value pairs of a file. Immutable; any thread. Arrays are decoded when they are asked for, so ask while the file is
 * open, and keep the result.
 *
 * <p>A missing key (for {@code find…}: none), a value of another type, or one that does not fit is a {@link GgufException}
 * that names the file, the key and the value. Integers may have any width in the file.
 */
public final class GgufMetadata {
    private static final Set<GgufValueType> STRINGS = Set.of(GgufValueType.STRING);
    private static final Set<GgufValueType> FLOATS = Set.of(GgufValueType.F32, GgufValueType.F64);
    private static final Set<GgufValueType> INTEGERS = Set.of(
            GgufValueType.U8, GgufValueType.I8, GgufValueType.U16, GgufValueType.I16,
            GgufValueType.U32, GgufValueType.I32, GgufValueType.U64, GgufValueType.I64);

    private final String file;
    private final Map<String, GgufValue> values;

    GgufMetadata(String file, Map<String, GgufValue> values) {
        this.file = file;
        this.values = Collections.unmodifiableMap(new LinkedHashMap<>(values));
    }

    /**
     * Metadata that are no file's, or of one that is translated.
     *
     * @param file what they are of, for messages
     */
    public static GgufMetadata of(String file, Map<String, GgufValue> values) {
        return new GgufMetadata(file, values);
    }

    /** All keys, in the order of the file. */
    public Set<String> keys() {
        return values.keySet();
    }

    /** Whether the key is there, with whatever value. */
    public boolean contains(String key) {
        return values.containsKey(key);
    }

    public GgufValue value(String key) {
        return required(key, findValue(key));
    }

    public Optional<GgufValue> findValue(String key) {
        return Optional.ofNullable(values.get(key));
    }

    public String string(String key) {
        return required(key, findString(key));
    }

    public Optional<String> findString(String key) {
        return find(key, value -> {
            if (value instanceof GgufValue.StringValue(String text)) {
                return text;
            }
            throw wrongType(key, value, "string");
        });
    }

    public boolean bool(String key) {
        return required(key, findBool(key));
    }

    public Optional<Boolean> findBool(String key) {
        return find(key, value -> {
            if (value instanceof GgufValue.BoolValue(boolean truth)) {
                return truth;
            }
            throw wrongType(key, value, "bool");
        });
    }

    /** An integer from -2^31 to 2^31 - 1. */
    public int integer(String key) {
        return required(key, find(key, value -> (int) inRange(key, value, Integer.MIN_VALUE, Integer.MAX_VALUE)));
    }

    public OptionalInt findInteger(String key) {
        return contains(key) ? OptionalInt.of(integer(key)) : OptionalInt.empty();
    }

    /** An integer from 0 to 2^32 - 1. */
    public long u32(String key) {
        return required(key, find(key, value -> inRange(key, value, 0, 0xffff_ffffL)));
    }

    public OptionalLong findU32(String key) {
        return contains(key) ? OptionalLong.of(u32(key)) : OptionalLong.empty();
    }

    /** An integer from -2^63 to 2^63 - 1. */
    public long int64(String key) {
        return required(key, find(key, value -> inRange(key, value, Long.MIN_VALUE, Long.MAX_VALUE)));
    }

    public OptionalLong findInt64(String key) {
        return contains(key) ? OptionalLong.of(int64(key)) : OptionalLong.empty();
    }

    /** A float32, or a float64 rounded to one. */
    public float float32(String key) {
        return required(key, findFloat32(key));
    }

    public Optional<Float> findFloat32(String key) {
        return find(key, value -> {
            if (value instanceof GgufValue.FloatValue(var _, double number)) {
                return (float) number;
            }
            throw wrongType(key, value, "float");
        });
    }

    public List<String> strings(String key) {
        return required(key, findStrings(key));
    }

    /** An array of strings; what was not UTF-8 is U+FFFD. A string is made anew each time it is asked for. */
    public Optional<List<String>> findStrings(String key) {
        return find(key, value -> array(key, value, "array of strings", STRINGS).strings());
    }

    public float[] floats(String key) {
        return required(key, findFloats(key));
    }

    /** An array of float32, or of float64 rounded to them. The array is the caller's. */
    public Optional<float[]> findFloats(String key) {
        return find(key, value -> {
            GgufValue.ArrayValue array = array(key, value, "array of floats", FLOATS);
            Cursor cursor = array.cursor();
            float[] floats = new float[array.count()];
            for (int i = 0; i < floats.length; i++) {
                floats[i] = array.elementType() == GgufValueType.F32
                        ? Float.intBitsToFloat(cursor.i32("value"))
                        : (float) Double.longBitsToDouble(cursor.i64("value"));
            }
            return floats;
        });
    }

    public int[] ints(String key) {
        return required(key, findInts(key));
    }

    /** An array of integers from -2^31 to 2^31 - 1. The array is the caller's. */
    public Optional<int[]> findInts(String key) {
        return find(key, value -> {
            GgufValue.ArrayValue array = array(key, value, "array of integers", INTEGERS);
            Cursor cursor = array.cursor();
            int[] ints = new int[array.count()];
            for (int i = 0; i < ints.length; i++) {
                GgufValue element = GgufParser.value(cursor, array.elementType(), 1);
                ints[i] = (int) inRange(key, element, Integer.MIN_VALUE, Integer.MAX_VALUE);
            }
            return ints;
        });
    }

    private GgufValue.ArrayValue array(String key, GgufValue value, String expected, Set<GgufValueType> elementTypes) {
        if (value instanceof GgufValue.ArrayValue array && elementTypes.contains(array.elementType())) {
            return array;
        }
        throw wrongType(key, value, expected);
    }

    private long inRange(String key, GgufValue value, long min, long max) {
        if (!(value instanceof GgufValue.IntegerValue integer)) {
            throw wrongType(key, value, "integer");
        }
        boolean aboveLong = integer.type() == GgufValueType.U64 && integer.value() < 0;
        if (aboveLong || integer.value() < min || integer.value() > max) {
            throw new GgufException("%s: metadata key '%s': value %s (%s) is not from %d to %d"
                    .formatted(file, Cursor.quote(key), integer, integer.type().label(), min, max));
        }
        return integer.value();
    }

    private <T> Optional<T> find(String key, Function<GgufValue, T> convert) {
        return findValue(key).map(convert);
    }

    private <T> T required(String key, Optional<T> value) {
        return value.orElseThrow(() -> new GgufException("%s: metadata key '%s' is missing".formatted(file, Cursor.quote(key))));
    }

    private GgufException wrongType(String key, GgufValue value, String expected) {
        return new GgufException("%s: metadata key '%s': expected %s, found %s".formatted(file, Cursor.quote(key), expected,
                value instanceof GgufValue.ArrayValue ? value : value.type().label() + " " + Cursor.quote(value.toString())));
    }
}
