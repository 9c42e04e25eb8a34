package dev.tidestream.model.packed;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.zip.CRC32C;

import dev.tidestream.model.tensor.PanelMatrix;

/**
 * The front of a file of panels, and where things lie behind it. Little-endian.
 *
 * <pre>
 *   0  "TIDEPNLS"
 *   8  u32 version of the panel layout | u32 bytes of the front, checksum included
 *  16  u64 bytes of the source | i64 its time of change, ns
 *  32  SHA-256 of a sample of the source (32) | SHA-256 of all of it (32)
 *  96  path of the source: u16 bytes, UTF-8
 *      u32 tensors; each: name: u16 bytes, UTF-8 | format: u16 bytes, ASCII | u32 rows | u32 columns | u64 offset
 *      u32 chunks; each: u32 CRC-32C of 1 MiB of a tensor, or of what is left of it
 *      u32 CRC-32C of all this
 *      zeros up to a multiple of 4096; then each tensor's panels, at a multiple of 4096
 * </pre>
 *
 * <p>What it keeps true: no number of a file is believed. Where everything lies is computed from the model file; a file of panels
 * must say the same, byte by byte, or it is not used. Only the checksums and the source's hash are taken from it.
 */
final class PackedFront {
    /** Bytes of a tensor that have a checksum of their own. */
    static final int CHUNK_BYTES = 1 << 20;

    private static final byte[] MAGIC = "TIDEPNLS".getBytes(StandardCharsets.US_ASCII);
    private static final int PREFIX_BYTES = MAGIC.length + 2 * Integer.BYTES;
    private static final int FULL_HASH = 64;
    private static final int HASH_BYTES = 32;
    private static final int PATH = FULL_HASH + HASH_BYTES;
    private static final long ALIGNMENT = 4096;

    private final SourceStamp source;
    private final List<Placed> tensors;
    private final int chunks;
    private final int frontBytes;
    private final long fileBytes;

    /**
     * A tensor in its place.
     *
     * @param offset of its panels in the file
     * @param firstChunk where its checksums begin
     */
    record Placed(PackedTensor tensor, long offset, int firstChunk) {
        int chunks() {
            return Math.toIntExact(Math.ceilDiv(tensor.bytes(), (long) CHUNK_BYTES));
        }
    }

    /** What a file said that could not be computed. */
    record Recorded(String sourceSha256, int[] checksums) {}

    PackedFront(SourceStamp source, List<PackedTensor> tensors) {
        this.source = source;
        int tableBytes = PATH + Short.BYTES + utf8(source.path()).length + 2 * Integer.BYTES;
        for (PackedTensor tensor : tensors) {
            tableBytes += 2 * Short.BYTES + utf8(tensor.name()).length + utf8(tensor.format().name()).length
                    + 2 * Integer.BYTES + Long.BYTES;
        }
        int allChunks = 0;
        for (PackedTensor tensor : tensors) {
            allChunks += new Placed(tensor, 0, 0).chunks();
        }
        chunks = allChunks;
        frontBytes = tableBytes + chunks * Integer.BYTES + Integer.BYTES;
        List<Placed> placed = new ArrayList<>();
        long offset = aligned(frontBytes);
        int chunk = 0;
        for (PackedTensor tensor : tensors) {
            Placed next = new Placed(tensor, offset, chunk);
            placed.add(next);
            offset = aligned(offset + tensor.bytes());
            chunk += next.chunks();
        }
        this.tensors = List.copyOf(placed);
        this.fileBytes = offset;
    }

    private static long aligned(long at) {
        return Math.ceilDiv(at, ALIGNMENT) * ALIGNMENT;
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    List<Placed> tensors() {
        return tensors;
    }

    /** Checksums of all tensors. */
    int chunks() {
        return chunks;
    }

    int frontBytes() {
        return frontBytes;
    }

    /** Length of the whole file. */
    long fileBytes() {
        return fileBytes;
    }

    /** The front as it is written. */
    byte[] toBytes(Recorded recorded) {
        ByteBuffer out = ByteBuffer.allocate(frontBytes).order(ByteOrder.LITTLE_ENDIAN);
        out.put(MAGIC).putInt(PanelMatrix.layoutVersion()).putInt(frontBytes);
        out.putLong(source.bytes()).putLong(source.modifiedNs());
        out.put(HexFormat.of().parseHex(source.sampleHash())).put(HexFormat.of().parseHex(recorded.sourceSha256()));
        text(out, source.path());
        out.putInt(tensors.size());
        for (Placed placed : tensors) {
            text(out, placed.tensor().name());
            text(out, placed.tensor().format().name());
            out.putInt(placed.tensor().rows()).putInt(placed.tensor().columns()).putLong(placed.offset());
        }
        out.putInt(chunks);
        for (int checksum : recorded.checksums()) {
            out.putInt(checksum);
        }
        out.putInt(crc(out.array(), out.position()));
        return out.array();
    }

    private static void text(ByteBuffer out, String text) {
        byte[] bytes = utf8(text);
        out.putShort((short) bytes.length).put(bytes);
    }

    private static int crc(byte[] bytes, int length) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, 0, length);
        return (int) crc.getValue();
    }

    /**
     * Compares a front that was read with what it must be.
     *
     * @param front as many of the first {@link #frontBytes} bytes as the file has
     * @param actualFileBytes its length
     * @throws PackedFileException if it is damaged, or made of another file or by another version
     */
    Recorded check(byte[] front, long actualFileBytes) throws PackedFileException {
        if (front.length < PREFIX_BYTES || !Arrays.equals(front, 0, MAGIC.length, MAGIC, 0, MAGIC.length)) {
            throw new PackedFileException("no file of packed panels");
        }
        ByteBuffer in = ByteBuffer.wrap(front).order(ByteOrder.LITTLE_ENDIAN);
        int layout = in.getInt(MAGIC.length);
        if (layout != PanelMatrix.layoutVersion()) {
            throw new PackedFileException("another panel layout: version=%d, needed=%d"
                    .formatted(layout, PanelMatrix.layoutVersion()));
        }
        if (front.length < frontBytes || in.getInt(MAGIC.length + Integer.BYTES) != frontBytes) {
            throw new PackedFileException("made of another model: front_bytes=%d, expected=%d"
                    .formatted(in.getInt(MAGIC.length + Integer.BYTES), frontBytes));
        }
        if (in.getInt(frontBytes - Integer.BYTES) != crc(front, frontBytes - Integer.BYTES)) {
            throw new PackedFileException("its front is damaged");
        }
        int[] checksums = new int[chunks];
        in.position(frontBytes - Integer.BYTES - chunks * Integer.BYTES).slice().order(ByteOrder.LITTLE_ENDIAN)
                .asIntBuffer().get(checksums);
        Recorded recorded = new Recorded(HexFormat.of().formatHex(front, FULL_HASH, FULL_HASH + HASH_BYTES), checksums);
        if (!Arrays.equals(front, toBytes(recorded))) {
            throw new PackedFileException(
                    "the model file has changed since: source_bytes=%d, now=%d, source_modified_ns=%d, now=%d"
                    .formatted(in.getLong(16), source.bytes(), in.getLong(24), source.modifiedNs()));
        }
        if (actualFileBytes != fileBytes) {
            throw new PackedFileException("bytes=%d, expected=%d".formatted(actualFileBytes, fileBytes));
        }
        return recorded;
    }

    /** The path of the source, as a file's front says; empty if it is no file of packed panels. */
    static String sourcePath(byte[] front) {
        ByteBuffer in = ByteBuffer.wrap(front).order(ByteOrder.LITTLE_ENDIAN);
        if (front.length < PATH + Short.BYTES || !Arrays.equals(front, 0, MAGIC.length, MAGIC, 0, MAGIC.length)) {
            return "";
        }
        int length = Short.toUnsignedInt(in.getShort(PATH));
        return front.length < PATH + Short.BYTES + length
                ? "" : new String(front, PATH + Short.BYTES, length, StandardCharsets.UTF_8);
    }

    /** Most bytes of a front up to the end of its path. */
    static int pathEnd() {
        return PATH + Short.BYTES + 0xffff;
    }
}
