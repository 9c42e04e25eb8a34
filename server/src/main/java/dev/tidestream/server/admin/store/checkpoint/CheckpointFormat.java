package dev.tidestream.server.admin.store.checkpoint;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import java.util.zip.CRC32C;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.WeightTensor;

/**
 * A checkpoint as a file: the tensors in which a version differs from the model file, as they are in memory. Little-endian.
 *
 * <pre>
 *   0  "TIDECKPT"
 *   8  u32 version of this layout  | u32 version of the panel layout
 *  16  u64 weights version
 *  24  SHA-256 of the model file (32) | SHA-256 of the manifest up to this version (32)
 *  88  u32 tensors; each: name: u16 bytes, UTF-8 | format: u16 bytes, ASCII | u16 dimensions, each u64 | u64 bytes
 *      the bytes of each tensor, one after the other: panels, or float32
 *      u32 CRC-32C of each MiB of a tensor, or of what is left of it
 *      u32 CRC-32C of all but the tensors
 * </pre>
 *
 * <p>No number of a file is believed: all but the checksums follows from the model file and the manifest, and a file that says
 * anything else is not used.
 */
public final class CheckpointFormat {
    /** Bytes of a tensor that have a checksum of their own. */
    static final int CHUNK_BYTES = 1 << 20;
    /** Bytes before the table of tensors. */
    public static final int PREFIX_BYTES = 88;

    private static final byte[] MAGIC = "TIDECKPT".getBytes(StandardCharsets.US_ASCII);
    private static final int VERSION = 1;

    private CheckpointFormat() {}

    /**
     * A tensor of a checkpoint.
     *
     * @param bytes of it in the file
     */
    public record Part(String name, TensorFormat format, List<Long> shape, long bytes) {
        public Part {
            shape = List.copyOf(shape);
        }

        /** Of a tensor as it lies in memory. */
        public static Part of(String name, WeightTensor tensor) {
            return new Part(name, tensor.format(), tensor.shape(), tensor.bytes());
        }

        int chunks() {
            return Math.toIntExact(Math.ceilDiv(bytes, (long) CHUNK_BYTES));
        }
    }

    /** What every file of this version of the weights begins with, whatever tensors it has. */
    public static byte[] prefix(long weightsVersion, String baseSha256, String historySha256) {
        ByteBuffer out = ByteBuffer.allocate(PREFIX_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        out.put(MAGIC).putInt(VERSION).putInt(PanelMatrix.layoutVersion()).putLong(weightsVersion);
        out.put(HexFormat.of().parseHex(baseSha256)).put(HexFormat.of().parseHex(historySha256));
        return out.array();
    }

    /** All that stands before the tensors. */
    static byte[] front(byte[] prefix, List<Part> parts) {
        ByteBuffer out = ByteBuffer.allocate(frontBytes(parts)).order(ByteOrder.LITTLE_ENDIAN);
        out.put(prefix).putInt(parts.size());
        for (Part part : parts) {
            text(out, part.name());
            text(out, part.format().name());
            out.putShort((short) part.shape().size());
            part.shape().forEach(out::putLong);
            out.putLong(part.bytes());
        }
        return out.array();
    }

    private static void text(ByteBuffer out, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        out.putShort((short) bytes.length).put(bytes);
    }

    private static int frontBytes(List<Part> parts) {
        int bytes = PREFIX_BYTES + Integer.BYTES;
        for (Part part : parts) {
            bytes += 3 * Short.BYTES + part.name().getBytes(StandardCharsets.UTF_8).length + part.format().name().length()
                    + Long.BYTES * (part.shape().size() + 1);
        }
        return bytes;
    }

    /** All that stands after the tensors. */
    static byte[] back(byte[] front, int[] checksums) {
        ByteBuffer out = ByteBuffer.allocate(Integer.BYTES * (checksums.length + 1)).order(ByteOrder.LITTLE_ENDIAN);
        for (int checksum : checksums) {
            out.putInt(checksum);
        }
        CRC32C crc = new CRC32C();
        crc.update(front);
        crc.update(out.array(), 0, out.position());
        return out.putInt((int) crc.getValue()).array();
    }

    /** Checksums of all tensors. */
    public static int chunks(List<Part> parts) {
        return parts.stream().mapToInt(Part::chunks).sum();
    }

    /** Length of the whole file. */
    public static long fileBytes(List<Part> parts) {
        return frontBytes(parts) + parts.stream().mapToLong(Part::bytes).sum() + (long) Integer.BYTES * (chunks(parts) + 1);
    }
}
