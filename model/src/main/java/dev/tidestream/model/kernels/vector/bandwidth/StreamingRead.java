package dev.tidestream.model.kernels.vector.bandwidth;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.atomic.LongAdder;

import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.WorkerTeam;

/**
 * How fast this machine reads memory from front to back, with the loads that kernels use and nothing else to do: the wall that a
 * kernel of
 * one row can reach and not pass. What it reads is larger than the caches, and added up, so that no load can be left out.
 */
public final class StreamingRead {
    private static final int PIECE_BYTES = 1 << 20;
    private static final int ONE = 1;

    private final MemorySegment memory;

    /**
     * Takes memory and writes to all of it.
     *
     * @param bytes to read in a pass; a multiple of 1 MiB, several times the last cache
     * @param arena owns it
     */
    public StreamingRead(long bytes, Arena arena, WorkerTeam team) {
        if (bytes < PIECE_BYTES || bytes % PIECE_BYTES != 0) {
            throw new IllegalArgumentException("bytes must be a multiple of %d: bytes=%d".formatted(PIECE_BYTES, bytes));
        }
        memory = arena.allocate(bytes, PanelMatrix.ALIGNMENT_BYTES);
        team.forEachRange(pieces(), 1, (from, to) -> {
            MemorySegment part = memory.asSlice((long) from * PIECE_BYTES, (long) (to - from) * PIECE_BYTES);
            for (long at = 0; at < part.byteSize(); at += Integer.BYTES) {
                part.set(ValueLayout.JAVA_INT, at, ONE);
            }
        });
    }

    private int pieces() {
        return Math.toIntExact(memory.byteSize() / PIECE_BYTES);
    }

    /** Bytes of a pass. */
    public long bytes() {
        return memory.byteSize();
    }

    /** Reads all of it once, split over the team. */
    public void pass(WorkerTeam team) {
        LongAdder sum = new LongAdder();
        team.forEachRange(pieces(), 1, (from, to) -> {
            for (int piece = from; piece < to; piece++) { // a piece's sums stay far below 2^31
                sum.add(VectorStream.sum(memory, (long) piece * PIECE_BYTES, PIECE_BYTES));
            }
        });
        if (sum.sum() != memory.byteSize() / Integer.BYTES * ONE) {
            throw new IllegalStateException("read something else than was written: sum=%d, bytes=%d"
                    .formatted(sum.sum(), memory.byteSize()));
        }
    }
}
