package dev.tidestream.server.admin.export;

import java.lang.foreign.MemorySegment;

/** The data of a tensor as it stands in a file, made a piece at a time. One thread at a time. */
interface TensorBytes {
    /** About the length of a piece: a tenth of a millisecond's worth of copying. */
    int PIECE_BYTES = 64 << 10;

    /** Length of the data. */
    long bytes();

    /** In how many pieces it comes; none is empty. */
    int pieces();

    /** Length of a piece, from 0 on. */
    int pieceBytes(int piece);

    /**
     * Makes a piece.
     *
     * @param to of its length, aligned to 64 bytes
     */
    void make(int piece, MemorySegment to);
}
