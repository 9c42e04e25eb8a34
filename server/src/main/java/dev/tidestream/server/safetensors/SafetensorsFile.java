package dev.tidestream.server.safetensors;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;

import dev.tidestream.protocol.JsonInput;
import dev.tidestream.server.safetensors.SafetensorsException.Reason;

/**
 * A safetensors file, memory-mapped and read-only:
 *
 * <pre>
 * 0      u64 little-endian: n, length of the header
 * 8      header: {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [begin, end]}, …, "__metadata__": {…}?}, spaces
 * 8 + n  data; offsets count from here; tensors fill it without holes and overlaps, little-endian, row-major
 * </pre>
 *
 * <p>All that the header says is checked against the file when it is opened, so {@link #data} never leaves it. Immutable until
 * closed. A file that is truncated while it is mapped makes the JVM throw {@link InternalError} where it is read. Source: the
 * format's description in the safetensors project's README.
 */
public final class SafetensorsFile implements AutoCloseable {
    private static final int MAX_HEADER_BYTES = 16 << 20;
    private static final int MAX_TENSORS = 100_000;
    private static final int MAX_DIMENSIONS = 8;
    private static final int MAX_DEPTH = 4;
    private static final int LENGTH_BYTES = Long.BYTES;
    private static final String METADATA = "__metadata__";
    private static final ValueLayout.OfLong LENGTH = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final int MAX_FIELDS = 5 * MAX_TENSORS; // a tensor is a name and three fields; the rest is metadata
    private static final int MAX_NAME_CHARS = 4096;
    private static final JsonInput JSON = new JsonInput(MAX_HEADER_BYTES, MAX_DEPTH, MAX_FIELDS, MAX_NAME_CHARS);

    /** Element types that are read: those of weights, of row numbers, of packed codes and masks, and of bit patterns. */
    public enum Type {
        F32(4),
        F16(2),
        BF16(2),
        U8(1),
        U16(2),
        BOOL(1),
        I32(4),
        I64(8);

        private final int bytes;

        Type(int bytes) {
            this.bytes = bytes;
        }

        /** Bytes of one element. */
        public int bytes() {
            return bytes;
        }
    }

    /**
     * A tensor of the file.
     *
     * @param shape none for a scalar
     * @param offsetBytes from the start of the file
     */
    public record Tensor(String name, Type type, List<Long> shape, long offsetBytes, long bytes) {
        public Tensor {
            shape = List.copyOf(shape);
        }
    }

    private final Arena arena;
    private final MemorySegment image;
    private final Map<String, Tensor> tensors;
    private final Map<String, String> metadata;

    /** What a header says. */
    private record Header(Map<String, Tensor> tensors, Map<String, String> metadata) {}

    private SafetensorsFile(Arena arena, MemorySegment image, Header header) {
        this.arena = arena;
        this.image = image;
        this.tensors = Collections.unmodifiableMap(header.tensors);
        this.metadata = Collections.unmodifiableMap(header.metadata);
    }

    /**
     * Maps a file and reads its header.
     *
     * @param file a real path: links at its end are not followed
     * @throws SafetensorsException {@code invalid_file}, {@code invalid_dtype}, {@code invalid_path} if it cannot be read
     */
    @SuppressWarnings("MustBeClosedChecker") // close() of the result closes it
    public static SafetensorsFile open(Path file) throws SafetensorsException {
        if (Files.exists(file, LinkOption.NOFOLLOW_LINKS) && !Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
            throw invalid("not a regular file"); // opening a pipe would wait for a writer
        }
        Arena arena = Arena.ofShared();
        boolean opened = false;
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS)) {
            MemorySegment image = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
            SafetensorsFile read = new SafetensorsFile(arena, image, parse(image));
            opened = true;
            return read;
        } catch (IOException e) {
            throw new SafetensorsException(Reason.UNREADABLE, "cannot be read", e);
        } finally {
            if (!opened) {
                arena.close();
            }
        }
    }

    private static Header parse(MemorySegment image) throws SafetensorsException {
        long fileBytes = image.byteSize();
        if (fileBytes < LENGTH_BYTES) {
            throw invalid("too short for a header length: bytes=" + fileBytes);
        }
        long headerBytes = image.get(LENGTH, 0);
        if (headerBytes < 2 || headerBytes > Math.min(MAX_HEADER_BYTES, fileBytes - LENGTH_BYTES)) {
            throw invalid("header length must be in 2..%d: %s"
                    .formatted(Math.min(MAX_HEADER_BYTES, fileBytes - LENGTH_BYTES), Long.toUnsignedString(headerBytes)));
        }
        JsonNode header = header(image.asSlice(LENGTH_BYTES, headerBytes).toArray(ValueLayout.JAVA_BYTE));
        if (header.size() > MAX_TENSORS) {
            throw invalid("too many tensors: tensors=%d, limit=%d".formatted(header.size(), MAX_TENSORS));
        }
        long dataOffset = LENGTH_BYTES + headerBytes;
        long dataBytes = fileBytes - dataOffset;
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        Map<String, String> metadata = Map.of();
        for (Map.Entry<String, JsonNode> entry : header.properties()) {
            if (entry.getKey().equals(METADATA)) {
                metadata = metadata(entry.getValue());
            } else {
                tensors.put(entry.getKey(), tensor(entry.getKey(), entry.getValue(), dataOffset, dataBytes));
            }
        }
        checkCoverage(tensors, dataOffset, dataBytes);
        return new Header(tensors, metadata);
    }

    private static JsonNode header(byte[] json) throws SafetensorsException {
        if (json[0] != '{') {
            throw invalid("header must begin with '{'");
        }
        try {
            JsonNode header = JSON.tree(new String(json, StandardCharsets.UTF_8));
            if (!header.isObject()) {
                throw invalid("header is not an object");
            }
            return header;
        } catch (JsonProcessingException e) {
            throw new SafetensorsException(Reason.INVALID_FILE, "header is not JSON: " + e.getOriginalMessage(), e);
        }
    }

    private static Map<String, String> metadata(JsonNode metadata) throws SafetensorsException {
        if (!metadata.isObject()) {
            throw invalid(METADATA + " is not an object");
        }
        Map<String, String> read = new LinkedHashMap<>();
        for (Map.Entry<String, JsonNode> entry : metadata.properties()) {
            if (!entry.getValue().isTextual()) {
                throw invalid(METADATA + " must map strings to strings: " + quote(entry.getKey()));
            }
            read.put(entry.getKey(), entry.getValue().textValue());
        }
        return read;
    }

    private static Tensor tensor(String name, JsonNode node, long dataOffset, long dataBytes) throws SafetensorsException {
        String where = "tensor '" + quote(name) + "': ";
        for (Map.Entry<String, JsonNode> field : node.properties()) {
            switch (field.getKey()) {
                case "dtype", "shape", "data_offsets" -> { }
                default -> throw invalid(where + "unknown field: " + quote(field.getKey()));
            }
        }
        Type type = type(where, node.path("dtype"));
        JsonNode dimensions = node.path("shape");
        if (!dimensions.isArray() || dimensions.size() > MAX_DIMENSIONS) {
            throw invalid(where + "shape must be an array of at most " + MAX_DIMENSIONS);
        }
        List<Long> shape = new ArrayList<>();
        long bytes = type.bytes();
        for (JsonNode dimension : dimensions) {
            long n = offset(where + "shape", dimension);
            shape.add(n);
            try {
                bytes = Math.multiplyExact(bytes, n);
            } catch (ArithmeticException e) {
                throw new SafetensorsException(Reason.INVALID_FILE, where + "shape is too large", e);
            }
        }
        JsonNode offsets = node.path("data_offsets");
        if (!offsets.isArray() || offsets.size() != 2) {
            throw invalid(where + "data_offsets must be an array of two");
        }
        long begin = offset(where + "data_offsets", offsets.get(0));
        long end = offset(where + "data_offsets", offsets.get(1));
        if (begin > end || end > dataBytes) {
            throw invalid(where + "data_offsets leave the file: begin=%d, end=%d, data_bytes=%d".formatted(begin, end, dataBytes));
        }
        if (end - begin != bytes) {
            throw invalid(where + "data_offsets do not fit shape and dtype: bytes=%d, expected=%d".formatted(end - begin, bytes));
        }
        return new Tensor(name, type, shape, dataOffset + begin, bytes);
    }

    private static Type type(String where, JsonNode node) throws SafetensorsException {
        for (Type type : Type.values()) {
            if (node.isTextual() && type.name().equals(node.textValue())) {
                return type;
            }
        }
        throw new SafetensorsException(
                Reason.INVALID_DTYPE,
                where + "dtype must be one of " + List.of(Type.values()) + ": " + quote(node.asText()), null);
    }

    private static long offset(String where, JsonNode node) throws SafetensorsException {
        if (!node.isIntegralNumber() || !node.canConvertToLong() || node.longValue() < 0) {
            throw invalid(where + " must be integers from 0 on: " + quote(node.asText()));
        }
        return node.longValue();
    }

    private static void checkCoverage(Map<String, Tensor> tensors, long dataOffset, long dataBytes) throws SafetensorsException {
        List<Tensor> byOffset = new ArrayList<>(tensors.values());
        byOffset.sort(Comparator.comparingLong(Tensor::offsetBytes).thenComparingLong(Tensor::bytes));
        long expected = dataOffset;
        for (Tensor tensor : byOffset) {
            if (tensor.offsetBytes() != expected) {
                throw invalid("tensor '%s' %s: begin=%d, expected=%d".formatted(
                        quote(tensor.name()),
                        tensor.offsetBytes() < expected ? "overlaps another" : "leaves a hole before it",
                        tensor.offsetBytes() - dataOffset,
                        expected - dataOffset));
            }
            expected += tensor.bytes();
        }
        if (expected != dataOffset + dataBytes) {
            throw invalid("data do not end with the last tensor: data_bytes=%d, tensor_bytes=%d"
                    .formatted(dataBytes, expected - dataOffset));
        }
    }

    private static SafetensorsException invalid(String message) {
        return new SafetensorsException(Reason.INVALID_FILE, message, null);
    }

    /** Short and printable, for messages. */
    private static String quote(String text) {
        String head = text.length() > 60 ? text.substring(0, 60) + "…" : text;
        return head.replaceAll("[\\p{Cntrl}\\p{Cs}]", "\uFFFD");
    }

    /** All tensors by name, in the order of the header. */
    public Map<String, Tensor> tensors() {
        return tensors;
    }

    /** What the header says beside tensors; nothing if it has no metadata. */
    public Map<String, String> metadata() {
        return metadata;
    }

    /**
     * The tensor of this name.
     *
     * @throws SafetensorsException {@code invalid_file} if there is none
     */
    public Tensor tensor(String name) throws SafetensorsException {
        Tensor tensor = tensors.get(name);
        if (tensor == null) {
            throw invalid("the file has no tensor '" + quote(name) + "'");
        }
        return tensor;
    }

    /** The bytes of a tensor of this file, read-only, valid until the file is closed. Not aligned. */
    public MemorySegment data(Tensor tensor) {
        return image.asSlice(tensor.offsetBytes(), tensor.bytes());
    }

    /** All bytes of the file, read-only, valid until it is closed. */
    public MemorySegment image() {
        return image;
    }

    /** Unmaps the file. A second call does nothing. */
    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }
}
