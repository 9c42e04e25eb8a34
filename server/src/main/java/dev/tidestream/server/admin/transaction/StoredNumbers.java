package dev.tidestream.server.admin.transaction;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.protocol.admin.PayloadType;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.safetensors.SafetensorsFile;
import dev.tidestream.server.safetensors.SafetensorsFile.Tensor;

/**
 * The numbers of a tensor of a part, one by one.
 *
 * @param data its bytes, mapped
 */
record StoredNumbers(Tensor tensor, MemorySegment data) {
    private static final ValueLayout.OfFloat F32 = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort BITS_16 = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt I32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong I64 = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    static StoredNumbers of(SafetensorsFile file, Tensor tensor) {
        return new StoredNumbers(tensor, file.data(tensor));
    }

    /**
     * The type of weights.
     *
     * @throws AdminException {@code invalid_dtype} if they are integers
     */
    PayloadType floats() throws AdminException {
        return switch (tensor.type()) {
            case F32 -> PayloadType.F32;
            case F16 -> PayloadType.F16;
            case BF16 -> PayloadType.BF16;
            case U8, U16, BOOL, I32, I64 -> throw new AdminException(AdminErrorCode.INVALID_DTYPE,
                    "tensor '%s' holds weights and must be F32, F16 or BF16: %s".formatted(tensor.name(), tensor.type()));
        };
    }

    /** @throws AdminException {@code invalid_dtype} if they are no numbers of rows or places */
    void requireNumbers() throws AdminException {
        switch (tensor.type()) {
            case I32, I64 -> { }
            case F32, F16, BF16, U8, U16, BOOL -> throw new AdminException(AdminErrorCode.INVALID_DTYPE,
                    "tensor '%s' holds numbers of rows or places and must be I32 or I64: %s".formatted(tensor.name(), tensor.type()));
        }
    }

    /** How many there are. */
    long count() {
        return tensor.bytes() / tensor.type().bytes();
    }

    /** A number of rows or places. */
    long number(long index) {
        return tensor.type() == SafetensorsFile.Type.I32
                ? data.get(I32, index * Integer.BYTES) : data.get(I64, index * Long.BYTES);
    }

    /** A pattern of 16 bits. */
    short bits(long index) {
        return data.get(BITS_16, index * Short.BYTES);
    }

    /** A weight. */
    float value(long index) {
        return switch (tensor.type()) {
            case F32 -> data.get(F32, index * Float.BYTES);
            case F16 -> Float.float16ToFloat(bits(index));
            case BF16 -> Float.intBitsToFloat(bits(index) << Short.SIZE);
            case U8, U16, BOOL, I32, I64 -> throw new IllegalArgumentException("no weights: " + tensor.type());
        };
    }

    /** Writes a weight as it is stored. */
    void put(long index, PayloadOut out) throws AdminException {
        if (tensor.type() == SafetensorsFile.Type.F32) {
            out.putFloat(value(index));
        } else {
            out.putShort(bits(index));
        }
    }

    /** Writes weights that lie one behind the other. */
    void put(long index, long count, PayloadOut out) throws AdminException {
        int bytes = tensor.type().bytes();
        out.bytes(data.asSlice(index * bytes, count * bytes));
    }
}
