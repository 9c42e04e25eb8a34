package dev.tidestream.model.kernels.jit.base;

import java.lang.foreign.GroupLayout;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;

/**
 * Where the parts of a kernel's scratch memory, or of a record that it reads, are. The parts are a struct whose offsets the JDK
 * computes and whose alignment it checks; parts that share an offset stand in a union. Names are unique. Immutable.
 */
public final class ScratchLayout {
    private final MemoryLayout layout;
    private final Map<String, Integer> offsets = new HashMap<>();

    private ScratchLayout(MemoryLayout layout) {
        this.layout = layout;
        add(layout, 0);
    }

    /**
     * Parts, one behind the other.
     *
     * @throws IllegalArgumentException if a part is not aligned, or a name stands twice
     */
    public static ScratchLayout of(MemoryLayout... parts) {
        return new ScratchLayout(MemoryLayout.structLayout(parts));
    }

    /** Room for vectors and tables; a multiple of 4 bytes. */
    public static MemoryLayout room(String name, int bytes) {
        return MemoryLayout.sequenceLayout(bytes / Integer.BYTES, ValueLayout.JAVA_INT).withName(name);
    }

    /** An address or a count. */
    public static MemoryLayout longs(String name) {
        return ValueLayout.JAVA_LONG.withName(name);
    }

    /** An integer of 32 bits. */
    public static MemoryLayout ints(String name) {
        return ValueLayout.JAVA_INT.withName(name);
    }

    /** A float. */
    public static MemoryLayout floats(String name) {
        return ValueLayout.JAVA_FLOAT.withName(name);
    }

    private void add(MemoryLayout part, long offset) {
        part.name().ifPresent(name -> {
            if (offsets.put(name, Math.toIntExact(offset)) != null) {
                throw new IllegalArgumentException("two parts have the name " + name);
            }
        });
        if (part instanceof GroupLayout group) {
            long at = offset;
            for (MemoryLayout member : group.memberLayouts()) {
                add(member, at);
                at += group instanceof StructLayout ? member.byteSize() : 0;
            }
        }
    }

    /**
     * Bytes in front of a part.
     *
     * @throws NullPointerException if there is no such part
     */
    public int offset(String name) {
        return Objects.requireNonNull(offsets.get(name), name);
    }

    /** Bytes of all parts. */
    public int bytes() {
        return Math.toIntExact(layout.byteSize());
    }
}
