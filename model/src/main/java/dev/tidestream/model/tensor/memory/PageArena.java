package dev.tidestream.model.tensor.memory;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/**
 * An arena for weights. On Linux, large allocations are anonymous mappings: their pages come when they are written, so that
 * nobody zeroes 150 MB in one go while tokens flow; huge pages are asked for, so that streaming through a matrix does not wait
 * for the TLB; and closing gives every byte back to the system at once, which {@code malloc} does not promise. Small
 * allocations, and all of them on other systems, are those of {@link Arena#ofShared()}.
 *
 * <p>Memory is zero at first. Any thread may use and close it.
 */
public final class PageArena implements Arena {
    /** What is written first in so much memory takes up to 5 ms, where a host has to make the pages, too. */
    public static final long HUGE_PAGE_BYTES = 2L << 20;
    private static final Optional<Pages> PAGES = Pages.find();

    private final Arena lifetime = Arena.ofShared();

    @Override
    public MemorySegment allocate(long byteSize, long byteAlignment) {
        if (PAGES.isEmpty() || byteSize < HUGE_PAGE_BYTES || byteAlignment > HUGE_PAGE_BYTES) {
            return lifetime.allocate(byteSize, byteAlignment);
        }
        return PAGES.get().map(byteSize, lifetime);
    }

    /**
     * Gives the whole pages of a part of an allocation back to the system, as far as it can; what is read there then is zero or
     * what it was.
     */
    static void giveBack(MemorySegment part) {
        PAGES.ifPresent(pages -> pages.giveBack(part));
    }

    @Override
    public MemorySegment.Scope scope() {
        return lifetime.scope();
    }

    @Override
    public void close() {
        lifetime.close();
    }

    /** {@code mmap}, {@code madvise} and {@code munmap}, with Linux's numbers. */
    @SuppressWarnings("restricted") // native access is enabled for ND4J and Netty, too
    private record Pages(MethodHandle mmap, MethodHandle madvise, MethodHandle munmap) {
        private static final int READ_WRITE = 1 | 2; // PROT_READ, PROT_WRITE
        private static final int PRIVATE_ANONYMOUS = 0x02 | 0x20; // MAP_PRIVATE, MAP_ANONYMOUS
        private static final int HUGE_PAGES = 14; // MADV_HUGEPAGE
        private static final int DONT_NEED = 4; // MADV_DONTNEED
        private static final long MAX_PAGE_BYTES = 64 << 10; // of any system we know, huge pages aside
        private static final int NO_HUGE_PAGES = 15; // MADV_NOHUGEPAGE
        private static final long FAILED = -1;

        static Optional<Pages> find() {
            if (!System.getProperty("os.name", "").equals("Linux")) {
                return Optional.empty();
            }
            Linker linker = Linker.nativeLinker();
            FunctionDescriptor map = FunctionDescriptor.of(ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG,
                    ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG);
            FunctionDescriptor advise = FunctionDescriptor.of(
                    ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT);
            FunctionDescriptor unmap =
                    FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG);
            return linker.defaultLookup().find("mmap").flatMap(mmap ->
                    linker.defaultLookup().find("madvise").flatMap(madvise ->
                            linker.defaultLookup().find("munmap").map(munmap -> new Pages(
                                    linker.downcallHandle(mmap, map),
                                    linker.downcallHandle(madvise, advise),
                                    linker.downcallHandle(munmap, unmap)))));
        }

        /** A segment that begins at a huge page. */
        MemorySegment map(long byteSize, Arena lifetime) {
            long mappedBytes = Math.addExact(byteSize, 2 * HUGE_PAGE_BYTES) / HUGE_PAGE_BYTES * HUGE_PAGE_BYTES;
            if (!lifetime.scope().isAlive()) {
                throw new IllegalStateException("the arena is closed: bytes=" + byteSize);
            }
            try {
                long address = (long) mmap.invokeExact(0L, mappedBytes, READ_WRITE, PRIVATE_ANONYMOUS, -1, 0L);
                if (address == FAILED) {
                    throw new OutOfMemoryError("the system has no memory to map: bytes=" + byteSize);
                }
                MemorySegment whole = MemorySegment.ofAddress(address)
                        .reinterpret(mappedBytes, lifetime, segment -> unmap(segment.address(), mappedBytes));
                long start = Math.ceilDiv(address, HUGE_PAGE_BYTES) * HUGE_PAGE_BYTES;
                // Whole huge pages only: the rest would take 2 MB for what may be a few bytes, 12 % of a small model. Refused
                // where the kernel has no huge pages: then small ones will do.
                int _ = (int) madvise.invokeExact(start, byteSize / HUGE_PAGE_BYTES * HUGE_PAGE_BYTES, HUGE_PAGES);
                long rest = start + byteSize / HUGE_PAGE_BYTES * HUGE_PAGE_BYTES;
                int _ = (int) madvise.invokeExact(rest, address + mappedBytes - rest, NO_HUGE_PAGES);
                return whole.asSlice(start - address, byteSize);
            } catch (RuntimeException | Error e) {
                throw e;
            } catch (Throwable e) {
                throw new AssertionError("a native call threw", e);
            }
        }

        /** Pages that the part shares with its neighbours stay. */
        void giveBack(MemorySegment part) {
            long from = Math.ceilDiv(part.address(), MAX_PAGE_BYTES) * MAX_PAGE_BYTES;
            long to = (part.address() + part.byteSize()) / MAX_PAGE_BYTES * MAX_PAGE_BYTES;
            if (from >= to) {
                return;
            }
            try {
                // Refused: then they stay until the arena is closed.
                int _ = (int) madvise.invokeExact(from, to - from, DONT_NEED);
            } catch (RuntimeException | Error e) {
                throw e;
            } catch (Throwable e) {
                throw new AssertionError("a native call threw", e);
            }
        }

        private void unmap(long address, long bytes) {
            try {
                int result = (int) munmap.invokeExact(address, bytes);
                if (result != 0) {
                    throw new IllegalStateException("munmap failed: address=%x, bytes=%d".formatted(address, bytes));
                }
            } catch (RuntimeException | Error e) {
                throw e;
            } catch (Throwable e) {
                throw new AssertionError("a native call threw", e);
            }
        }
    }
}
