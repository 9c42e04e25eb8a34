package dev.tidestream.server.bench;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.SplittableRandom;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.tensor.memory.PageArena;
import dev.tidestream.model.tensor.panel.PanelPacker;

/** Matrices of random weights for measuring speed: finite, of the order of 1, the same on every run. */
public final class BenchWeights {
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final int PIECE_BYTES = 1 << 20;

    private BenchWeights() {}

    /** Bytes that are taken for a moment beside the matrix itself. */
    public static long sourceBytes(TensorFormat format, int rows, int columns) {
        return format.format().fileBytes(rows, columns);
    }

    /**
     * Makes a matrix.
     *
     * @param columns a multiple of the format's block
     * @param arena owns it
     */
    public static PanelMatrix random(TensorFormat format, int rows, int columns, Arena arena, WorkerTeam team) {
        try (Arena source = new PageArena()) {
            long bytes = sourceBytes(format, rows, columns);
            int pieces = Math.toIntExact(Math.ceilDiv(bytes, (long) PIECE_BYTES));
            MemorySegment rowMajor = source.allocate((long) pieces * PIECE_BYTES, Long.BYTES);
            team.forEachRange(pieces, 1, (from, to) -> {
                for (int piece = from; piece < to; piece++) {
                    fill(piece, rowMajor);
                }
            });
            MemorySegment matrix = rowMajor.asSlice(0, bytes);
            long rowBytes = format.rowBytes(columns);
            team.forEachRange(rows, 1, (from, to) -> format.format().makeFinite(matrix, from * rowBytes, to * rowBytes));
            return PanelPacker.pack("random", format, rows, columns, matrix, arena, team);
        }
    }

    private static void fill(int piece, MemorySegment rowMajor) {
        SplittableRandom random = new SplittableRandom(piece);
        for (int i = 0; i < PIECE_BYTES; i += Long.BYTES) {
            rowMajor.set(LONG, (long) piece * PIECE_BYTES + i, random.nextLong());
        }
    }
}
