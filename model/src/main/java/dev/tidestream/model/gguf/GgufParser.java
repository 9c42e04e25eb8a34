package dev.tidestream.model.gguf;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads the front of a file: header, metadata, tensor table. Source: the GGUF specification (ggml, docs/gguf.md).
 *
 * <pre>
 *   "GGUF" | version u32 | tensor count u64 | metadata count u64
 *   metadata: key string | type u32 | value             string: length u64 | bytes
 *   tensor:   name string | dimension count u32 | dimensions u64 … | type u32 | offset u64
 *   padding to general.alignment | tensor data: offsets count from here
 * </pre>
 *
 * <p>What it keeps true: no number of the file is believed. A count is compared with what the remaining bytes can hold before
 * the first entry is read; memory grows with entries that were really read, never with a count; arrays are walked, to find
 * their end and check every element, but not decoded. So a file costs time and memory in proportion to its own size at most.
 */
final class GgufParser {
    private static final int MAGIC = 0x46554747; // "GGUF"
    private static final int REVERSED_MAGIC = 0x47475546;
    private static final int MIN_METADATA_BYTES = 8 + 1 + 4 + 1;
    private static final int MIN_TENSOR_BYTES = 8 + 1 + 4 + 8 + 4 + 8;
    private static final int MAX_DIMENSIONS = 4;
    private static final int MAX_ARRAY_DEPTH = 4;
    private static final int MAX_ARRAY_ELEMENTS = 1 << 26;
    private static final long MIN_ALIGNMENT = 8;
    private static final long MAX_ALIGNMENT = 1 << 20;
    private static final long DEFAULT_ALIGNMENT = 32;
    private static final String ALIGNMENT_KEY = "general.alignment";

    private final Cursor cursor;
    private final long fileBytes;

    private GgufParser(MemorySegment image, String file) {
        this.cursor = new Cursor(image, file);
        this.fileBytes = image.byteSize();
    }

    /** The front of a file; tensors in the order of the file. */
    record Front(int version, GgufMetadata metadata, Map<String, GgufTensor> tensors) {}

    /** @throws GgufException if the image is not a GGUF file that can be trusted */
    static Front parse(MemorySegment image, String file) {
        return new GgufParser(image, file).front();
    }

    private Front front() {
        int version = version();
        long tensorCount = cursor.i64("tensor count");
        long metadataCount = cursor.i64("metadata count");
        cursor.needCount(tensorCount, MIN_TENSOR_BYTES, "tensor count");
        cursor.needCount(metadataCount, MIN_METADATA_BYTES, "metadata count");
        GgufMetadata metadata = metadata(metadataCount);
        List<GgufTensor> table = tensorTable(tensorCount);
        return new Front(version, metadata, place(table, alignment(metadata)));
    }

    private int version() {
        int magic = cursor.i32("magic");
        if (magic == REVERSED_MAGIC) {
            throw cursor.fault("magic 'FUGG': a big-endian file, which is not supported");
        }
        if (magic != MAGIC) {
            throw cursor.fault("magic 0x%08x is not 'GGUF' (0x%08x): not a GGUF file".formatted(magic, MAGIC));
        }
        int version = cursor.i32("version");
        if (version == 2 || version == 3) {
            return version;
        }
        if ((version & 0xffff) == 0 && version != 0) {
            throw cursor.fault("version 0x%08x: a big-endian file (version %d), which is not supported"
                    .formatted(version, Integer.reverseBytes(version)));
        }
        throw cursor.fault("version %s is not supported: only 2 and 3 are".formatted(Integer.toUnsignedString(version)));
    }

    private GgufMetadata metadata(long count) {
        Map<String, GgufValue> values = new LinkedHashMap<>();
        for (long i = 0; i < count; i++) {
            cursor.subject("metadata entry %d of %d".formatted(i, count), "");
            String key = cursor.name("key");
            cursor.subject("metadata key", key);
            GgufValue value = value(cursor, valueType(cursor), 0);
            if (values.put(key, value) != null) {
                throw cursor.fault("the key occurs twice");
            }
        }
        return new GgufMetadata(cursor.file(), values);
    }

    private static GgufValueType valueType(Cursor cursor) {
        int id = cursor.i32("value type");
        return GgufValueType.ofId(id)
                .orElseThrow(() -> cursor.fault("value type %s is unknown".formatted(Integer.toUnsignedString(id))));
    }

    /** Reads a value; of an array only where it lies. {@code depth} is 0 for the value of a key. */
    static GgufValue value(Cursor cursor, GgufValueType type, int depth) {
        return switch (type) {
            case U8 -> new GgufValue.IntegerValue(type, cursor.u8("value"));
            case I8 -> new GgufValue.IntegerValue(type, (byte) cursor.u8("value"));
            case U16 -> new GgufValue.IntegerValue(type, Short.toUnsignedLong(cursor.i16("value")));
            case I16 -> new GgufValue.IntegerValue(type, cursor.i16("value"));
            case U32 -> new GgufValue.IntegerValue(type, Integer.toUnsignedLong(cursor.i32("value")));
            case I32 -> new GgufValue.IntegerValue(type, cursor.i32("value"));
            case U64, I64 -> new GgufValue.IntegerValue(type, cursor.i64("value"));
            case F32 -> new GgufValue.FloatValue(type, Float.intBitsToFloat(cursor.i32("value")));
            case F64 -> new GgufValue.FloatValue(type, Double.longBitsToDouble(cursor.i64("value")));
            case BOOL -> new GgufValue.BoolValue(bool(cursor));
            case STRING -> new GgufValue.StringValue(cursor.text());
            case ARRAY -> array(cursor, depth);
        };
    }

    /** Passes over an element of an array that was checked before. */
    static void skip(Cursor cursor, GgufValueType type) {
        switch (type) {
            case STRING -> cursor.skipText();
            case ARRAY -> array(cursor, 1);
            case U8, I8, U16, I16, U32, I32, F32, BOOL, U64, I64, F64 -> cursor.skip(type.minBytes(), "value");
        }
    }

    private static boolean bool(Cursor cursor) {
        int value = cursor.u8("value");
        if (value > 1) {
            throw cursor.fault("value %d is no bool: 0 or 1".formatted(value));
        }
        return value == 1;
    }

    /** Walks over an array, nested ones included, and remembers where it lies. */
    private static GgufValue.ArrayValue array(Cursor cursor, int depth) {
        if (depth >= MAX_ARRAY_DEPTH) {
            throw cursor.fault("arrays are nested deeper than " + MAX_ARRAY_DEPTH);
        }
        GgufValueType type = valueType(cursor);
        long count = cursor.i64("array count");
        cursor.needCount(count, type.minBytes(), "array count");
        if (count > MAX_ARRAY_ELEMENTS) {
            throw cursor.fault("array count %d is above the limit of %d".formatted(count, MAX_ARRAY_ELEMENTS));
        }
        Cursor elements = cursor.copy();
        switch (type) {
            case BOOL -> {
                for (long i = 0; i < count; i++) {
                    bool(cursor);
                }
            }
            case STRING -> {
                for (long i = 0; i < count; i++) {
                    cursor.skipText();
                }
            }
            case ARRAY -> {
                for (long i = 0; i < count; i++) {
                    array(cursor, depth + 1);
                }
            }
            case U8, I8, U16, I16, U32, I32, F32, U64, I64, F64 -> cursor.skip(count * type.minBytes(), "array");
        }
        return new GgufValue.ArrayValue(elements, type, (int) count);
    }

    private long alignment(GgufMetadata metadata) {
        long alignment = metadata.findInt64(ALIGNMENT_KEY).orElse(DEFAULT_ALIGNMENT);
        if (alignment < MIN_ALIGNMENT || alignment > MAX_ALIGNMENT || Long.bitCount(alignment) != 1) {
            cursor.subject("metadata key", ALIGNMENT_KEY);
            throw cursor.fault("alignment %d is no power of two from %d to %d"
                    .formatted(alignment, MIN_ALIGNMENT, MAX_ALIGNMENT));
        }
        return alignment;
    }

    /** The table as it stands in the file: offsets still count from the beginning of the data. */
    private List<GgufTensor> tensorTable(long count) {
        List<GgufTensor> table = new ArrayList<>();
        for (long i = 0; i < count; i++) {
            cursor.subject("tensor %d of %d".formatted(i, count), "");
            String name = cursor.name("name");
            cursor.subject("tensor", name);
            int dimensionCount = cursor.i32("dimension count");
            if (dimensionCount < 1 || dimensionCount > MAX_DIMENSIONS) {
                throw cursor.fault("dimension count %s is not 1 to %d"
                        .formatted(Integer.toUnsignedString(dimensionCount), MAX_DIMENSIONS));
            }
            List<Long> dimensions = new ArrayList<>(dimensionCount);
            for (int d = 0; d < dimensionCount; d++) {
                dimensions.add(cursor.i64("dimension"));
            }
            int typeId = cursor.i32("type");
            GgmlType type = GgmlType.ofId(typeId)
                    .orElseThrow(() -> cursor.fault("type %s is unknown".formatted(Integer.toUnsignedString(typeId))));
            long bytes = bytes(type, dimensions);
            table.add(new GgufTensor(name, type, dimensions, cursor.i64("offset"), bytes));
        }
        return table;
    }

    private long bytes(GgmlType type, List<Long> dimensions) {
        long elements = 1;
        for (long dimension : dimensions) {
            if (dimension < 1 || elements > Long.MAX_VALUE / dimension) {
                throw cursor.fault("dimension %s of %s is out of range"
                        .formatted(Long.toUnsignedString(dimension), unsigned(dimensions)));
            }
            elements *= dimension;
        }
        if (dimensions.getFirst() % type.blockElements() != 0) {
            throw cursor.fault("dimension %d of %s is no multiple of the %d elements of a %s block"
                    .formatted(dimensions.getFirst(), dimensions, type.blockElements(), type));
        }
        try {
            return type.bytes(elements);
        } catch (ArithmeticException e) {
            throw cursor.fault("dimensions %s of %s are out of range".formatted(dimensions, type));
        }
    }

    private static List<String> unsigned(List<Long> dimensions) {
        return dimensions.stream().map(Long::toUnsignedString).toList();
    }

    /** Turns offsets into places in the file, and checks that every tensor has a place of its own. */
    private Map<String, GgufTensor> place(List<GgufTensor> table, long alignment) {
        long dataStart = Math.ceilDiv(cursor.position(), alignment) * alignment;
        Map<String, GgufTensor> placed = new LinkedHashMap<>();
        for (GgufTensor tensor : table) {
            cursor.subject("tensor", tensor.name());
            long offset = tensor.offsetBytes();
            if (Long.remainderUnsigned(offset, alignment) != 0) {
                throw cursor.fault("offset %s is no multiple of the alignment %d"
                        .formatted(Long.toUnsignedString(offset), alignment));
            }
            long room = fileBytes - dataStart;
            if (offset < 0 || offset > room || tensor.bytes() > room - offset) {
                throw cursor.fault("offset %s + %d bytes (%s %s) is outside the %d bytes of tensor data"
                        .formatted(Long.toUnsignedString(offset), tensor.bytes(), tensor.type(), tensor.shape(),
                                Math.max(room, 0)));
            }
            GgufTensor atPlace = new GgufTensor(
                    tensor.name(), tensor.type(), tensor.dimensions(), dataStart + offset, tensor.bytes());
            if (placed.put(tensor.name(), atPlace) != null) {
                throw cursor.fault("the name occurs twice");
            }
        }
        checkDisjoint(placed);
        return placed;
    }

    private void checkDisjoint(Map<String, GgufTensor> tensors) {
        List<GgufTensor> byOffset = new ArrayList<>(tensors.values());
        byOffset.sort(Comparator.comparingLong(GgufTensor::offsetBytes));
        for (int i = 1; i < byOffset.size(); i++) {
            GgufTensor before = byOffset.get(i - 1);
            GgufTensor tensor = byOffset.get(i);
            if (before.offsetBytes() + before.bytes() > tensor.offsetBytes()) {
                cursor.subject("tensor", tensor.name());
                throw cursor.fault("begins at byte %d, inside tensor '%s' (bytes %d to %d)".formatted(tensor.offsetBytes(),
                        Cursor.quote(before.name()), before.offsetBytes(), before.offsetBytes() + before.bytes()));
            }
        }
    }
}
