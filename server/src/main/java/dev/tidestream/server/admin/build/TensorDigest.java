package dev.tidestream.server.admin.build;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.security.MessageDigest;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.WeightTensor;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.server.admin.store.directory.Sha256;

/**
 * SHA-256 of a tensor, whatever the layout that it is held in: of its elements row by row, in the order of rows that GGUF has,
 * little-endian; in their own type if that is F16 or BF16, otherwise, of quantised ones too, as float32.
 */
public final class TensorDigest {
    private static final ValueLayout.OfFloat F32 = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort BITS_16 = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private TensorDigest() {}

    /**
     * Of a tensor.
     *
     * @param team whose breaks are kept, if it has one thread
     */
    public static String of(WeightTensor tensor, WorkerTeam team) {
        MessageDigest digest = Sha256.digest();
        switch (tensor) {
            case WeightTensor.Vector vector -> digest.update(bytes(vector.values(), vector.format()));
            case WeightTensor.Matrix(PanelMatrix panels) -> {
                float[] row = new float[panels.columns()];
                WorkerTeam inOrder = team.size() == 1 ? team : WorkerTeam.sequential();
                inOrder.forEachRange(panels.rows(), 1, (from, to) -> {
                    for (int i = from; i < to; i++) {
                        panels.copyRow(i, row, 0);
                        digest.update(bytes(row, panels.format()));
                    }
                });
            }
        }
        return Sha256.hex(digest);
    }

    private static byte[] bytes(float[] values, TensorFormat format) {
        return switch (format.name()) {
            case "F16" -> halves(values, true);
            case "BF16" -> halves(values, false);
            default -> {
                byte[] bytes = new byte[values.length * Float.BYTES];
                MemorySegment.copy(values, 0, MemorySegment.ofArray(bytes), F32, 0, values.length);
                yield bytes;
            }
        };
    }

    /** Elements that are exact in 16 bits. */
    private static byte[] halves(float[] values, boolean f16) {
        byte[] bytes = new byte[values.length * Short.BYTES];
        MemorySegment out = MemorySegment.ofArray(bytes);
        for (int i = 0; i < values.length; i++) {
            short bits = f16 ? Float.floatToFloat16(values[i]) : (short) (Float.floatToRawIntBits(values[i]) >>> Short.SIZE);
            out.set(BITS_16, (long) i * Short.BYTES, bits);
        }
        return bytes;
    }
}
