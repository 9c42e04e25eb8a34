package dev.tidestream.server.admin.store.checkpoint;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.SequencedMap;
import java.util.zip.CRC32C;

import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.WeightTensor;
import dev.tidestream.server.admin.store.directory.Storage;

/** Writes one checkpoint, piece by piece; see {@link CheckpointFormat}. One thread. */
public final class CheckpointWriter {
    /** A tenth of a millisecond's worth of copying and checking. */
    private static final int PIECE_BYTES = 64 << 10;

    /** When the next piece may be written. */
    public interface Pacer {
        /** Writes without a pause. */
        Pacer NONE = piece -> {
            piece.write();
            return true;
        };

        /**
         * Has a piece written as soon as it may be.
         *
         * @return false if nothing shall be written any more; then the piece may not have been
         */
        boolean write(Piece piece) throws IOException;
    }

    /** A part of a file that is written in one go. */
    public interface Piece {
        void write() throws IOException;
    }

    private final Storage.Sink sink;
    private final Pacer pacer;
    private final byte[] front;
    private final int[] checksums;
    private int chunks;

    /**
     * @param sink the new file; stays the caller's
     * @param prefix see {@link CheckpointFormat#prefix}
     * @param parts tensors that will be written, sorted by name
     */
    public CheckpointWriter(Storage.Sink sink, Pacer pacer, byte[] prefix, List<CheckpointFormat.Part> parts) {
        this.sink = sink;
        this.pacer = pacer;
        this.front = CheckpointFormat.front(prefix, parts);
        this.checksums = new int[CheckpointFormat.chunks(parts)];
    }

    /**
     * Writes all of it, and makes it durable.
     *
     * @param tensors those of the parts, in their order
     * @return false if it was given up
     */
    public boolean write(SequencedMap<String, WeightTensor> tensors) throws IOException {
        sink.write(ByteBuffer.wrap(front));
        for (WeightTensor tensor : tensors.values()) {
            if (!write(bytes(tensor))) {
                return false;
            }
        }
        sink.write(ByteBuffer.wrap(CheckpointFormat.back(front, checksums)));
        sink.force();
        return true;
    }

    private static MemorySegment bytes(WeightTensor tensor) {
        return switch (tensor) {
            case WeightTensor.Matrix(PanelMatrix panels) -> panels.panelData();
            case WeightTensor.Vector vector -> {
                ByteBuffer bytes = ByteBuffer.allocate(Math.toIntExact(vector.bytes())).order(ByteOrder.LITTLE_ENDIAN);
                bytes.asFloatBuffer().put(vector.values());
                yield MemorySegment.ofBuffer(bytes);
            }
        };
    }

    private boolean write(MemorySegment tensor) throws IOException {
        CRC32C crc = new CRC32C();
        for (long at = 0; at < tensor.byteSize(); ) {
            ByteBuffer piece = tensor.asSlice(at, Math.min(PIECE_BYTES, tensor.byteSize() - at)).asByteBuffer();
            int length = piece.remaining();
            boolean goOn = pacer.write(() -> {
                crc.update(piece.duplicate());
                sink.write(piece);
            });
            if (!goOn) {
                return false;
            }
            at += length;
            if (at % CheckpointFormat.CHUNK_BYTES == 0 || at == tensor.byteSize()) {
                checksums[chunks++] = (int) crc.getValue();
                crc.reset();
            }
        }
        return true;
    }
}
