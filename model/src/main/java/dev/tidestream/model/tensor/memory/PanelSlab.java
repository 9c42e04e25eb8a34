package dev.tidestream.model.tensor.memory;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

import dev.tidestream.model.tensor.PanelMatrix;

/**
 * One large allocation that many matrices share, each of which can be given back on its own. As separate
 * allocations, each of a hundred matrices would end in a huge page of which it uses a part: 12 % of a small model; or in small
 * pages, which take longer to get than to fill (0.2 GB/s against 4–9, measured in a virtual machine).
 *
 * <p>Or a file that is mapped once, of which they are parts.
 *
 * <p>A part that is given back has no memory any more, but its addresses stay until all parts are given back. Parts are taken
 * by one thread; any thread may give one back.
 */
public final class PanelSlab {
    private final Arena arena;
    private final MemorySegment whole;
    private final AtomicInteger parts = new AtomicInteger(1); // and one for whoever takes parts
    private final AtomicBoolean sealed = new AtomicBoolean();
    private long used;

    /**
     * Takes address space; memory comes as it is written to.
     *
     * @param bytes of all parts, {@link #paddedBytes padded}
     */
    public PanelSlab(long bytes) {
        arena = new PageArena();
        boolean done = false;
        try {
            whole = arena.allocate(bytes, PanelMatrix.ALIGNMENT_BYTES);
            done = true;
        } finally {
            if (!done) {
                arena.close();
            }
        }
    }

    /**
     * Makes parts of memory that is there: of a mapped file.
     *
     * @param arena of this memory, shared; closed with the last part
     */
    public PanelSlab(MemorySegment whole, Arena arena) {
        this.whole = whole;
        this.arena = arena;
    }

    /** What a part takes: whole cache lines. */
    public static long paddedBytes(long bytes) {
        return Math.ceilDiv(bytes, PanelMatrix.ALIGNMENT_BYTES) * (long) PanelMatrix.ALIGNMENT_BYTES;
    }

    /** A part of a slab. */
    public final class Part implements AutoCloseable {
        private final MemorySegment memory;
        private final AtomicBoolean open = new AtomicBoolean(true);

        private Part(MemorySegment memory) {
            this.memory = memory;
        }

        /** Its memory, zero at first unless it is a file's. */
        public MemorySegment memory() {
            return memory;
        }

        /** Gives the memory back. Nobody may use it any more. Again does nothing. */
        @Override
        public void close() {
            if (open.compareAndSet(true, false)) {
                PageArena.giveBack(memory);
                release();
            }
        }
    }

    /**
     * The next part.
     *
     * @throws IndexOutOfBoundsException if the slab has not so much left
     */
    public Part take(long bytes) {
        Part part = take(used, bytes);
        used += paddedBytes(bytes);
        return part;
    }

    /**
     * A part where the caller wants it; whether it is another's, too, is not checked.
     *
     * @param offset from the beginning
     * @throws IndexOutOfBoundsException if the slab does not reach so far
     */
    public Part take(long offset, long bytes) {
        MemorySegment memory = whole.asSlice(offset, bytes);
        parts.incrementAndGet();
        return new Part(memory);
    }

    /** No more parts are taken: the slab ends with the last of them. Again does nothing. */
    public void seal() {
        if (sealed.compareAndSet(false, true)) {
            release();
        }
    }

    private void release() {
        if (parts.decrementAndGet() == 0) {
            arena.close();
        }
    }
}
