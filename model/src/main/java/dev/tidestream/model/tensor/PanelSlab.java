package dev.tidestream.model.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * One large piece of memory that many matrices share, each of which can be given back on its own: an allocation, or the mapping of a
 * file. Allocated apart, each of a hundred matrices
 * would end in
 * a huge page of which it uses a part: 12 % of a small model; or in small pages, which take longer to get than to fill (0.2 GB/s
 * against
 * 4–9, measured in a virtual machine).
 *
 * <p>A part that is given back has no memory any more, but its addresses stay until all parts are given back. Parts are taken by
 * one thread;
 * any thread may give one back.
 */
public final class PanelSlab {
    private final Arena arena;
    private final MemorySegment whole;
    private final AtomicInteger parts = new AtomicInteger(1); // and one for whoever takes parts
    private long used;

    /**
     * Takes address space; memory comes as it is written to.
     *
     * @param bytes of all parts, {@link #paddedBytes padded}
     */
    @SuppressWarnings("MustBeClosedChecker") // the last part closes it
    public static PanelSlab allocate(long bytes) {
        PageArena arena = new PageArena();
        boolean done = false;
        try {
            PanelSlab slab = new PanelSlab(arena.allocate(bytes, PanelMatrix.ALIGNMENT_BYTES), arena);
            done = true;
            return slab;
        } finally {
            if (!done) {
                arena.close();
            }
        }
    }

    /**
     * What is there already.
     *
     * @param whole its bytes
     * @param arena closed when the last part is given back; any thread may do that
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

        /** Its memory; of an allocation, zero at first. */
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
        Part part = at(used, bytes);
        used += paddedBytes(bytes);
        return part;
    }

    /**
     * A part of its own choice: either those that are taken so, or {@link #take}.
     *
     * @throws IndexOutOfBoundsException if the slab has no such bytes
     */
    public Part at(long offset, long bytes) {
        MemorySegment memory = whole.asSlice(offset, bytes);
        parts.incrementAndGet();
        return new Part(memory);
    }

    /** No more parts are taken: the slab ends with the last of them. */
    public void seal() {
        release();
    }

    private void release() {
        if (parts.decrementAndGet() == 0) {
            arena.close();
        }
    }
}
