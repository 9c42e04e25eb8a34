package dev.tidestream.model.gguf;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.function.LongConsumer;

/**
 * Writes a GGUF file, version 3, little-endian, aligned to 32 bytes: its front from metadata and a table of tensors, then the data of
 * each tensor, one after the other, as it is asked for. Keys {@code split.*} and {@code general.alignment} of the metadata are left
 * out, since what they say is no longer so.
 *
 * <p>A file is written under another name, forced to disk, and then renamed: whoever opens it finds all of it, or nothing. The
 * file of the other name is removed if writing fails, and if the process is interrupted; not if it is killed. One thread.
 */
public final class GgufFileWriter {
    private static final int VERSION = 3;
    private static final int ALIGNMENT = 32;
    private static final int PIECE_BYTES = 1 << 24;
    private static final long SPARE_BYTES = 16L << 20;

    private final List<Tensor> tensors;
    private final byte[] front; // up to the data, with padding
    private final long fileBytes;

    /**
     * A tensor to be written.
     *
     * @param dimensions one to four, fastest first
     */
    public record Tensor(String name, GgmlType type, List<Long> dimensions) {
        public Tensor {
            dimensions = List.copyOf(dimensions);
        }

        /** Length of its data. */
        public long bytes() {
            return type.bytes(dimensions.stream().reduce(1L, Math::multiplyExact));
        }
    }

    /** Gives the data of tensors, one after the other. */
    @FunctionalInterface
    public interface Data {
        /**
         * Gives all bytes of a tensor, in pieces.
         *
         * @param sink takes them
         */
        void write(Tensor tensor, Sink sink) throws IOException;
    }

    /** Takes data. */
    @FunctionalInterface
    public interface Sink {
        void write(MemorySegment piece) throws IOException;
    }

    /**
     * Lays a file out.
     *
     * @param metadata in the order of the file; arrays are copied as they stand in their file
     * @param tensors in the order of the file; names are not checked to be different
     */
    public GgufFileWriter(SequencedMap<String, GgufValue> metadata, List<Tensor> tensors) {
        this.tensors = List.copyOf(tensors);
        Map<String, GgufValue> kept = new LinkedHashMap<>(metadata);
        kept.keySet().removeIf(key -> key.startsWith("split.") || key.equals("general.alignment"));
        Front out = new Front();
        out.bytes("GGUF".getBytes(StandardCharsets.US_ASCII));
        out.int32(VERSION);
        out.int64(tensors.size());
        out.int64(kept.size());
        kept.forEach((key, value) -> {
            out.text(key);
            out.int32(value.type().id());
            out.value(value);
        });
        long offset = 0;
        for (Tensor tensor : tensors) {
            out.text(tensor.name());
            out.int32(tensor.dimensions().size());
            tensor.dimensions().forEach(out::int64);
            out.int32(tensor.type().id());
            out.int64(offset);
            offset += padded(tensor.bytes());
        }
        out.bytes(new byte[padding(out.size())]);
        this.front = out.toByteArray();
        this.fileBytes = front.length + offset;
    }

    /** Zeros that stand behind so many bytes of a tensor's data. */
    public static int padding(long bytes) {
        return (int) (Math.ceilDiv(bytes, (long) ALIGNMENT) * ALIGNMENT - bytes);
    }

    private static long padded(long bytes) {
        return bytes + padding(bytes);
    }

    /** All that stands before the data of the first tensor. */
    public byte[] front() {
        return front.clone();
    }

    /** Length of the file. */
    public long fileBytes() {
        return fileBytes;
    }

    /**
     * Writes the file.
     *
     * @param replace whether a file of this name may be replaced
     * @param progress told how many bytes were written so far
     * @throws java.nio.file.FileAlreadyExistsException if there is a file of this name, and it may not be replaced
     * @throws IOException if it cannot be written; then nothing is left behind
     * @throws IllegalStateException if the data of a tensor has another length than the tensor
     */
    public void write(Path file, boolean replace, Data data, LongConsumer progress) throws IOException {
        Path folder = file.toAbsolutePath().getParent();
        if (folder == null) {
            throw new IOException("no file: " + file);
        }
        long usableBytes = Files.getFileStore(folder).getUsableSpace();
        if (fileBytes > usableBytes - SPARE_BYTES) {
            throw new IOException("%s: the disk is too full: bytes=%d, to_spare=%d, usable_bytes=%d"
                    .formatted(file, fileBytes, SPARE_BYTES, usableBytes));
        }
        Path temporary = folder.resolve("%s.%d-%d.tmp"
                .formatted(file.getFileName(), ProcessHandle.current().pid(), Math.abs(System.nanoTime())));
        temporary.toFile().deleteOnExit(); // also if a signal ends the process
        boolean moved = false;
        try (FileChannel channel = FileChannel.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            write(channel, data, progress);
            channel.force(true);
            if (replace) {
                Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            } else {
                Files.move(temporary, file); // refuses to replace
            }
            moved = true;
        } finally {
            if (!moved) {
                Files.deleteIfExists(temporary);
            }
        }
        if (folder.getFileSystem().supportedFileAttributeViews().contains("posix")) { // elsewhere it cannot be opened
            try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
                channel.force(true);
            }
        }
    }

    private void write(FileChannel channel, Data data, LongConsumer progress) throws IOException {
        put(channel, ByteBuffer.wrap(front));
        for (Tensor tensor : tensors) {
            long begin = channel.position();
            data.write(tensor, piece -> {
                for (long from = 0; from < piece.byteSize(); from += PIECE_BYTES) {
                    put(channel, piece.asSlice(from, Math.min(PIECE_BYTES, piece.byteSize() - from)).asByteBuffer());
                    progress.accept(channel.position());
                }
            });
            long bytes = channel.position() - begin;
            if (bytes != tensor.bytes()) {
                throw new IllegalStateException("tensor %s has bytes=%d, not %d".formatted(tensor.name(), bytes, tensor.bytes()));
            }
            put(channel, ByteBuffer.allocate(padding(bytes)));
        }
    }

    private static void put(FileChannel channel, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    /** The front of a file, as it grows. */
    private static final class Front {
        private final ByteArrayOutputStream out = new ByteArrayOutputStream();

        byte[] toByteArray() {
            return out.toByteArray();
        }

        int size() {
            return out.size();
        }

        void bytes(byte[] bytes) {
            out.writeBytes(bytes);
        }

        void int16(int value) {
            bytes(ByteBuffer.allocate(Short.BYTES).order(ByteOrder.LITTLE_ENDIAN).putShort((short) value).array());
        }

        void int32(int value) {
            bytes(ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN).putInt(value).array());
        }

        void int64(long value) {
            bytes(ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array());
        }

        void text(String text) {
            byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
            int64(utf8.length);
            bytes(utf8);
        }

        void value(GgufValue value) {
            switch (value) {
                case GgufValue.IntegerValue(GgufValueType type, long number) -> {
                    switch (type.minBytes()) {
                        case Byte.BYTES -> out.write((int) number);
                        case Short.BYTES -> int16((int) number);
                        case Integer.BYTES -> int32((int) number);
                        default -> int64(number);
                    }
                }
                case GgufValue.FloatValue(GgufValueType type, double number) -> {
                    if (type == GgufValueType.F32) {
                        int32(Float.floatToRawIntBits((float) number));
                    } else {
                        int64(Double.doubleToRawLongBits(number));
                    }
                }
                case GgufValue.BoolValue(boolean truth) -> out.write(truth ? 1 : 0);
                case GgufValue.StringValue(String text) -> text(text);
                case GgufValue.ArrayValue array -> {
                    int32(array.elementType().id());
                    int64(array.count());
                    bytes(array.bytes().toArray(ValueLayout.JAVA_BYTE));
                }
            }
        }
    }
}
