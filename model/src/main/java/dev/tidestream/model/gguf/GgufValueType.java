package dev.tidestream.model.gguf;

import java.util.Locale;
import java.util.Optional;

/** The types of metadata values; in the order of their ids. */
public enum GgufValueType {
    U8(0, 1),
    I8(1, 1),
    U16(2, 2),
    I16(3, 2),
    U32(4, 4),
    I32(5, 4),
    F32(6, 4),
    BOOL(7, 1),
    /** Length (8 bytes), then UTF-8. */
    STRING(8, 8),
    /** Element type (4 bytes), count (8 bytes), then the elements. */
    ARRAY(9, 12),
    U64(10, 8),
    I64(11, 8),
    F64(12, 8);

    private static final GgufValueType[] BY_ID = values();

    private final int id;
    private final int minBytes;

    GgufValueType(int id, int minBytes) {
        this.id = id;
        this.minBytes = minBytes;
    }

    /** The type with this id in a file, if there is one. */
    public static Optional<GgufValueType> ofId(int id) {
        return id < 0 || id >= BY_ID.length ? Optional.empty() : Optional.of(BY_ID[id]);
    }

    /** The number that stands for this type in a file. */
    public int id() {
        return id;
    }

    /** Bytes of a value; for strings and arrays the least. */
    public int minBytes() {
        return minBytes;
    }

    /** The name in messages and tables, e.g. {@code u32}. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
