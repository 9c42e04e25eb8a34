package dev.tidestream.server.bench;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.SplittableRandom;

import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.TensorFormat;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.tensor.memory.PageArena;
import dev.tidestream.model.tensor.panel.PanelPacker;

/** Matrices of random weights for measuring speed: finite, of the order of 1, the same on every run. */
public final class BenchWeights {
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final short SCALE = Float.floatToFloat16(0.01f);
    private static final int PIECE_BYTES = 1 << 20;

    private BenchWeights() {}

    /** Bytes that are taken for a moment beside the matrix itself. */
    public static long sourceBytes(TensorFormat format, int rows, int columns) {
        return rows * format.rowBytes(columns);
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
                    fill(format, piece, rowMajor);
                }
            });
            team.forEachRange(rows, 1, (from, to) -> {
                long end = to * format.rowBytes(columns);
                for (long block = from * format.rowBytes(columns); block < end; block += format.blockBytes()) {
                    scales(format, rowMajor, block);
                }
            });
            return PanelPacker.pack("random", format, rows, columns, rowMajor.asSlice(0, bytes), arena, team);
        }
    }

    private static void fill(TensorFormat format, int piece, MemorySegment rowMajor) {
        SplittableRandom random = new SplittableRandom(piece);
        for (int i = 0; i < PIECE_BYTES; i += Long.BYTES) {
            rowMajor.set(LONG, (long) piece * PIECE_BYTES + i, finite(format, random.nextLong()));
        }
    }

    /** Random bits as elements between 1 and 2, or between -2 and -1; quants are what they are. */
    private static long finite(TensorFormat format, long bits) {
        return switch (format) {
            case F32 -> (bits & 0x807f_ffff_807f_ffffL) | 0x3f80_0000_3f80_0000L;
            case F16 -> (bits & 0x83ff_83ff_83ff_83ffL) | 0x3c00_3c00_3c00_3c00L;
            case BF16 -> (bits & 0x807f_807f_807f_807fL) | 0x3f80_3f80_3f80_3f80L;
            case Q8_0, Q4_0, Q4_K, Q5_K, Q6_K -> bits;
        };
    }

    private static void scales(TensorFormat format, MemorySegment rowMajor, long block) {
        switch (format) {
            case F32, F16, BF16 -> { }
            case Q8_0, Q4_0 -> rowMajor.set(SHORT, block, SCALE);
            case Q4_K, Q5_K -> {
                rowMajor.set(SHORT, block, SCALE);
                rowMajor.set(SHORT, block + Short.BYTES, SCALE);
            }
            case Q6_K -> rowMajor.set(SHORT, block + format.blockBytes() - Short.BYTES, SCALE);
        }
    }
}
