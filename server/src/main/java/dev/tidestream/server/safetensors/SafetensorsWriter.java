package dev.tidestream.server.safetensors;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;

/** Writes a safetensors file of small tensors, in the order in which they were added. Layout: {@link SafetensorsFile}. One thread. */
public final class SafetensorsWriter {
    private static final int ALIGNMENT = 8; // of the data, by spaces behind the header

    private record Entry(String type, List<Long> shape, ByteBuffer data) {}

    private final Map<String, Entry> entries = new LinkedHashMap<>();
    private final Map<String, String> metadata = new LinkedHashMap<>();

    /** Says something of the file, or of one of its tensors. */
    public SafetensorsWriter metadata(String name, String value) {
        metadata.put(name, value);
        return this;
    }

    /** Adds a tensor of float32. Values are copied. */
    public SafetensorsWriter add(String name, List<Long> shape, float[] values) {
        ByteBuffer data = ByteBuffer.allocate(Math.multiplyExact(values.length, Float.BYTES)).order(ByteOrder.LITTLE_ENDIAN);
        data.asFloatBuffer().put(values);
        return add(name, "F32", shape, data, values.length);
    }

    /** Adds a tensor of int32. Values are copied. */
    public SafetensorsWriter add(String name, List<Long> shape, int[] values) {
        ByteBuffer data = ByteBuffer.allocate(Math.multiplyExact(values.length, Integer.BYTES)).order(ByteOrder.LITTLE_ENDIAN);
        data.asIntBuffer().put(values);
        return add(name, "I32", shape, data, values.length);
    }

    /**
     * Adds a tensor of any type.
     *
     * @param type as the format names it, e.g. {@code BF16}
     * @param data little-endian, taken over
     * @throws IllegalArgumentException if it is not as long as type and shape make it, or one of this name is there
     */
    public SafetensorsWriter add(String name, String type, int bytesPerElement, List<Long> shape, byte[] data) {
        if (data.length % bytesPerElement != 0) {
            throw new IllegalArgumentException("no tensor: name=%s, type=%s, bytes=%d".formatted(name, type, data.length));
        }
        return add(name, type, shape, ByteBuffer.wrap(data), data.length / bytesPerElement);
    }

    private SafetensorsWriter add(String name, String type, List<Long> shape, ByteBuffer data, int elements) {
        long expected = shape.stream().mapToLong(Long::longValue).reduce(1, Math::multiplyExact);
        if (elements != expected || entries.putIfAbsent(name, new Entry(type, List.copyOf(shape), data)) != null) {
            throw new IllegalArgumentException("no tensor, or one of this name is there: name=%s, shape=%s, elements=%d"
                    .formatted(name, shape, elements));
        }
        return this;
    }

    /** Writes a file, or writes over it. */
    public void write(Path file) throws IOException {
        try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(file))) {
            write(out);
        }
    }

    /** Writes a file's bytes. */
    @SuppressWarnings("ByteBufferBackingArray") // all of them are whole arrays
    public void write(OutputStream out) throws IOException {
        byte[] header = header().getBytes(StandardCharsets.UTF_8);
        out.write(ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN).putLong(header.length).array());
        out.write(header);
        for (Entry entry : entries.values()) {
            out.write(entry.data.array());
        }
    }

    private String header() throws IOException {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = new JsonFactory().createGenerator(text)) {
            json.writeStartObject();
            if (!metadata.isEmpty()) {
                json.writeObjectFieldStart("__metadata__");
                for (Map.Entry<String, String> said : metadata.entrySet()) {
                    json.writeStringField(said.getKey(), said.getValue());
                }
                json.writeEndObject();
            }
            long offset = 0;
            for (Map.Entry<String, Entry> named : entries.entrySet()) {
                Entry entry = named.getValue();
                json.writeObjectFieldStart(named.getKey());
                json.writeStringField("dtype", entry.type);
                numbers(json, "shape", entry.shape);
                numbers(json, "data_offsets", List.of(offset, offset + entry.data.capacity()));
                json.writeEndObject();
                offset += entry.data.capacity();
            }
            json.writeEndObject();
        }
        int bytes = text.toString().getBytes(StandardCharsets.UTF_8).length;
        return text + " ".repeat(Math.floorMod(-bytes, ALIGNMENT));
    }

    private static void numbers(JsonGenerator json, String name, List<Long> values) throws IOException {
        json.writeArrayFieldStart(name);
        for (long value : values) {
            json.writeNumber(value);
        }
        json.writeEndArray();
    }
}
