package dev.tidestream.server.admin.transaction;

import java.security.MessageDigest;

import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.WeightTensor;
import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.protocol.admin.PayloadType;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.admin.store.directory.Sha256;
import dev.tidestream.server.huggingface.names.NamedTensor;

/**
 * The elements of a held tensor as patterns of 16 bits, in F16 if it is held so, otherwise in BF16: for updates that turn bits over, which
 * need them exact. One thread.
 */
final class HeldBits {
    private final NamedTensor named;
    private final WeightTensor tensor;
    private final PayloadType type;
    private final int rows;
    private final int columns;
    private final float[] row;
    private int rowRead = -1;

    /** @param tensor as it is held */
    HeldBits(NamedTensor named, WeightTensor tensor) {
        this.named = named;
        this.tensor = tensor;
        this.type = tensor.format().name().equals("F16") ? PayloadType.F16 : PayloadType.BF16;
        this.rows = tensor instanceof WeightTensor.Matrix(PanelMatrix panels) ? panels.rows() : 1;
        this.columns = Math.toIntExact(tensor.shape().getLast());
        this.row = new float[columns];
    }

    /** What the patterns are. */
    PayloadType type() {
        return type;
    }

    /**
     * The bits of an element.
     *
     * @throws AdminException {@code invalid_dtype} if the element is no number of that type
     */
    short bits(long heldRow, int column) throws AdminException {
        if (heldRow != rowRead) {
            switch (tensor) {
                case WeightTensor.Matrix(PanelMatrix panels) -> panels.copyRow((int) heldRow, row, 0);
                case WeightTensor.Vector vector -> System.arraycopy(vector.values(), 0, row, 0, columns);
            }
            rowRead = (int) heldRow;
        }
        float value = row[column] - named.added();
        short bits = type == PayloadType.F16 ? Float.floatToFloat16(value) : (short) (Float.floatToRawIntBits(value) >>> Short.SIZE);
        float back = type == PayloadType.F16 ? Float.float16ToFloat(bits) : Float.intBitsToFloat(bits << Short.SIZE);
        if (Float.floatToRawIntBits(back) != Float.floatToRawIntBits(value)) {
            throw new AdminException(AdminErrorCode.INVALID_DTYPE,
                    "kind xor needs a tensor whose values are %s to the bit; this one is held as %s: tensor=%s, row=%d, column=%d"
                            .formatted(type.wireName(), tensor.format(), named.tensor(), heldRow, column));
        }
        return bits;
    }

    /** SHA-256 of all of them, as they stand under the name. */
    String sha256() throws AdminException {
        MessageDigest digest = Sha256.digest();
        byte[] line = new byte[2 * (named.transposed() ? rows : columns)];
        for (long i = 0; i < (named.transposed() ? columns : rows); i++) {
            for (int j = 0; j < line.length / 2; j++) {
                short bits = named.transposed() ? bits(j, (int) i) : bits(named.heldRow(i), j);
                line[2 * j] = (byte) bits;
                line[2 * j + 1] = (byte) (bits >>> Byte.SIZE);
            }
            digest.update(line);
        }
        return Sha256.hex(digest);
    }
}
