package dev.tidestream.server.admin.build;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;

import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.admin.store.UpdateSpec;
import dev.tidestream.server.safetensors.SafetensorsException;
import dev.tidestream.server.safetensors.SafetensorsFile;

/**
 * The payload of an update, made of tensors of a safetensors file:
 *
 * <pre>
 * kind            tensors of the file, for the model's tensor T
 * replace, delta  T (shape)
 * rows            T.rows (n) I32 or I64, T (n, columns)
 * low_rank        T.A (rows, rank), T.B (rank, columns)
 * </pre>
 *
 * Row numbers become int32. Everything else is passed on as it is, chunk by chunk.
 */
public final class SafetensorsPayload implements AutoCloseable {
    private static final int CHUNK_BYTES = 1 << 20;
    private static final ValueLayout.OfLong INT64 = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final SafetensorsFile file;
    private final UpdateSpec spec;

    private SafetensorsPayload(SafetensorsFile file, UpdateSpec spec) {
        this.file = file;
        this.spec = spec;
    }

    /**
     * Maps a file.
     *
     * @param file a real path
     * @param spec the update that it should be the payload of
     * @throws AdminException {@code invalid_file}, {@code invalid_dtype}, {@code invalid_path} if it cannot be read
     */
    @SuppressWarnings("MustBeClosedChecker") // close() of the result closes it
    public static SafetensorsPayload open(Path file, UpdateSpec spec) throws AdminException {
        try {
            return new SafetensorsPayload(SafetensorsFile.open(file), spec);
        } catch (SafetensorsException e) {
            throw refusal(e);
        }
    }

    /** Unmaps the file. */
    @Override
    public void close() {
        file.close();
    }

    private static AdminException refusal(SafetensorsException e) {
        AdminErrorCode code = switch (e.reason()) {
            case UNREADABLE -> AdminErrorCode.INVALID_PATH;
            case INVALID_FILE -> AdminErrorCode.INVALID_FILE;
            case INVALID_DTYPE -> AdminErrorCode.INVALID_DTYPE;
        };
        return new AdminException(code, String.valueOf(e.getMessage()), e);
    }

    /** Takes the payload's bytes, in order. */
    public interface Sink {
        /** The next bytes; they are valid during the call only. */
        void accept(ByteBuffer chunk) throws AdminException;
    }

    /**
     * Passes the whole payload on, on the calling thread.
     *
     * @throws AdminException {@code invalid_file}, {@code invalid_shape}, {@code invalid_dtype}, and what the sink throws
     */
    public void writeTo(Sink sink) throws AdminException {
        String name = spec.tensor();
        switch (spec.kind()) {
            case REPLACE, DELTA -> values(name, spec.shape(), sink);
            case ROWS -> {
                rowNumbers(name + ".rows", spec.shape().getFirst(), sink);
                values(name, spec.shape(), sink);
            }
            case LOW_RANK -> {
                long rank = spec.rank();
                values(name + ".A", List.of(spec.shape().getFirst(), rank), sink);
                values(name + ".B", List.of(rank, spec.shape().getLast()), sink);
            }
        }
    }

    private void values(String name, List<Long> shape, Sink sink) throws AdminException {
        SafetensorsFile.Tensor tensor = tensor(name, shape);
        if (!tensor.type().name().equals(spec.dtype().name())) {
            throw new AdminException(AdminErrorCode.INVALID_DTYPE, "tensor '%s' of the file has another dtype: dtype=%s, file=%s"
                    .formatted(name, spec.dtype().wireName(), tensor.type()));
        }
        pass(file.data(tensor), sink);
    }

    private void rowNumbers(String name, long rows, Sink sink) throws AdminException {
        SafetensorsFile.Tensor tensor = tensor(name, List.of(rows));
        MemorySegment data = file.data(tensor);
        switch (tensor.type()) {
            case I32 -> pass(data, sink);
            case I64 -> narrow(name, data, rows, sink);
            case F32, F16, BF16, U8, U16, BOOL -> throw new AdminException(AdminErrorCode.INVALID_DTYPE,
                    "tensor '%s' of the file holds row numbers and must be I32 or I64: %s".formatted(name, tensor.type()));
        }
    }

    private static void narrow(String name, MemorySegment data, long rows, Sink sink) throws AdminException {
        ByteBuffer chunk = ByteBuffer.allocate(CHUNK_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (long i = 0; i < rows; i++) {
            long row = data.get(INT64, i * Long.BYTES);
            if (row != (int) row) {
                throw new AdminException(AdminErrorCode.INVALID_VALUE, "tensor '%s' of the file: no row has this number: %s[%d]=%d"
                        .formatted(name, name, i, row));
            }
            chunk.putInt((int) row);
            if (!chunk.hasRemaining() || i == rows - 1) {
                sink.accept(chunk.flip());
                chunk.clear();
            }
        }
    }

    private SafetensorsFile.Tensor tensor(String name, List<Long> shape) throws AdminException {
        SafetensorsFile.Tensor tensor;
        try {
            tensor = file.tensor(name);
        } catch (SafetensorsException e) {
            throw refusal(e);
        }
        if (!tensor.shape().equals(shape)) {
            throw new AdminException(AdminErrorCode.INVALID_SHAPE,
                    "tensor '%s' of the file has another shape: shape=%s, needed=%s".formatted(name, tensor.shape(), shape));
        }
        return tensor;
    }

    private static void pass(MemorySegment data, Sink sink) throws AdminException {
        for (long from = 0; from < data.byteSize(); from += CHUNK_BYTES) {
            sink.accept(data.asSlice(from, Math.min(CHUNK_BYTES, data.byteSize() - from)).asByteBuffer());
        }
    }
}
