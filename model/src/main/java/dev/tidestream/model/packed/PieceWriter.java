package dev.tidestream.model.packed;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.function.LongConsumer;

/**
 * Writes a file from its beginning, in pieces of {@value #PIECE_BYTES} bytes that begin at multiples of that. Linux then caches it
 * in huge pages, if its file system can, and a mapping of it is read about as fast as memory of our own; after pieces half as long it
 * is not. One thread.
 */
final class PieceWriter {
    /** A huge page. */
    static final int PIECE_BYTES = 2 << 20;

    private final FileChannel channel;
    private final LongConsumer progress;
    private final ByteBuffer piece = ByteBuffer.allocateDirect(PIECE_BYTES);
    private long writtenBytes;

    /** @param progress told how many bytes are written so far */
    PieceWriter(FileChannel channel, LongConsumer progress) {
        this.channel = channel;
        this.progress = progress;
    }

    /** Appends bytes. */
    void write(ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            int length = Math.min(bytes.remaining(), piece.remaining());
            piece.put(bytes.slice(bytes.position(), length));
            bytes.position(bytes.position() + length);
            if (!piece.hasRemaining()) {
                flush();
            }
        }
    }

    /**
     * Appends zeros.
     *
     * @param fileBytes length of the file then, not less than now, and not 2 GiB more
     */
    void zerosUpTo(long fileBytes) throws IOException {
        write(ByteBuffer.allocate(Math.toIntExact(fileBytes - writtenBytes - piece.position())));
    }

    /** Hands to the system what was appended. Only at the end: what is appended afterwards is no whole piece. */
    void flush() throws IOException {
        piece.flip();
        while (piece.hasRemaining()) {
            writtenBytes += channel.write(piece, writtenBytes);
        }
        piece.clear();
        progress.accept(writtenBytes);
    }
}
