package dev.tidestream.model.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * Memory of an arena that is not filled with zeros at once. {@link Arena#allocate} clears in one go, without a safepoint:
 * clearing the 150 MB of a large embedding takes half a second of page faults, through which no other thread gets past a
 * garbage collection. Memory from here costs nothing until each part is written.
 */
final class LazyMemory {
    private static final int CACHE_LINE = 64;

    private LazyMemory() {}

    /** The C library's allocator; needs {@code --enable-native-access}, as ND4J does. */
    @SuppressWarnings("restricted")
    private static final class Native {
        static final MethodHandle MALLOC;
        static final MethodHandle FREE;

        static {
            Linker linker = Linker.nativeLinker();
            SymbolLookup library = linker.defaultLookup();
            MALLOC = linker.downcallHandle(
                    library.findOrThrow("malloc"), FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.JAVA_LONG));
            FREE = linker.downcallHandle(library.findOrThrow("free"), FunctionDescriptor.ofVoid(ValueLayout.ADDRESS));
        }

        private Native() {}
    }

    /**
     * Allocates.
     *
     * @param arena frees the memory when it is closed
     * @return {@code bytes} of whatever was there, at the start of a cache line
     * @throws OutOfMemoryError if the system refuses
     * @throws IllegalStateException if the arena is closed
     */
    @SuppressWarnings("restricted")
    static MemorySegment allocate(long bytes, Arena arena) {
        MemorySegment raw = malloc(Math.addExact(bytes, CACHE_LINE));
        boolean owned = false;
        try {
            MemorySegment all = raw.reinterpret(bytes + CACHE_LINE, arena, LazyMemory::free);
            owned = true;
            return SegmentAllocator.slicingAllocator(all).allocate(bytes, CACHE_LINE);
        } finally {
            if (!owned) {
                free(raw);
            }
        }
    }

    private static MemorySegment malloc(long bytes) {
        MemorySegment raw;
        try {
            raw = (MemorySegment) Native.MALLOC.invokeExact(bytes);
        } catch (Throwable e) {
            throw new AssertionError("malloc is C and throws nothing", e);
        }
        if (raw.equals(MemorySegment.NULL)) {
            throw new OutOfMemoryError("no memory for a tensor: bytes=" + bytes);
        }
        return raw;
    }

    private static void free(MemorySegment raw) {
        try {
            Native.FREE.invokeExact(raw);
        } catch (Throwable e) {
            throw new AssertionError("free is C and throws nothing", e);
        }
    }
}
