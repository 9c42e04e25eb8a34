package dev.tidestream.model.gguf;

import java.lang.foreign.MemorySegment;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.function.Consumer;
import java.util.zip.CRC32C;

/** A SHA-256 of a model's files: of all of them, or of samples. One thread. */
public final class ContentHash {
    private static final long PIECE_BYTES = 1 << 20;
    private static final long SAMPLE_BYTES = 4096;
    private static final int SAMPLES = 3; // of a tensor

    private final MessageDigest digest;

    /** Of nothing yet. */
    public ContentHash() {
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform has SHA-256", e);
        }
    }

    /** Adds bytes. */
    public void add(byte[] bytes) {
        digest.update(bytes);
    }

    /**
     * Adds all bytes of a mapped file.
     *
     * @param release told of each piece that has been read and is not needed any more
     */
    public void addAll(MemorySegment image, Consumer<MemorySegment> release) {
        for (long from = 0; from < image.byteSize(); from += PIECE_BYTES) {
            MemorySegment piece = image.asSlice(from, Math.min(PIECE_BYTES, image.byteSize() - from));
            digest.update(piece.asByteBuffer());
            release.accept(piece);
        }
    }

    /** Adds the CRC-32C of some bytes, big-endian. */
    public void addChecksum(MemorySegment bytes) {
        CRC32C crc = new CRC32C();
        crc.update(bytes.asByteBuffer());
        for (int shift = Integer.SIZE - Byte.SIZE; shift >= 0; shift -= Byte.SIZE) {
            digest.update((byte) (crc.getValue() >>> shift));
        }
    }

    /** Adds the checksums of the beginning, the middle and the end of a tensor, 4 KB each. */
    public void addSamples(MemorySegment tensor) {
        long bytes = Math.min(SAMPLE_BYTES, tensor.byteSize());
        long spare = tensor.byteSize() - bytes;
        for (int i = 0; i < SAMPLES; i++) {
            addChecksum(tensor.asSlice(spare * i / (SAMPLES - 1), bytes));
        }
    }

    /** The hash as 64 lower-case hexadecimal digits; begins anew. */
    public String hex() {
        return HexFormat.of().formatHex(digest.digest());
    }
}
