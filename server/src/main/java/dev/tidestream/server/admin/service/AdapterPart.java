package dev.tidestream.server.admin.service;

import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;

import dev.tidestream.model.adapter.MatrixChange;
import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.server.admin.AdminException;

/** What an adapter changes, as a part of an update: a safetensors file, the same bytes each time it is written. One thread. */
final class AdapterPart {
    private static final int CHUNK_BYTES = 64 << 10;
    private static final int ALIGNMENT = 8; // of the data, by spaces behind the header

    private final List<Section> sections = new ArrayList<>();
    private final Map<String, String> metadata = new LinkedHashMap<>();
    private final byte[] header;

    /** Takes bytes; they are valid during the call only. */
    interface Sink {
        void accept(ByteBuffer chunk) throws AdminException;
    }

    /** Reads a row of numbers into the beginning of an array. */
    private interface Rows {
        void copyRow(int row, float[] out);
    }

    /** A tensor of float32, row by row; of row numbers, {@code numbers}, and there are no rows. */
    private record Section(String name, int rows, int columns, Rows values, int[] numbers) {
        long bytes() {
            return numbers.length > 0 ? (long) numbers.length * Integer.BYTES : (long) rows * columns * Float.BYTES;
        }

        List<Long> shape() {
            return numbers.length > 0 ? List.of((long) numbers.length) : List.of((long) rows, (long) columns);
        }
    }

    /** @param names GGUF's name of a change's matrix */
    AdapterPart(List<MatrixChange> changes, Function<MatrixChange, String> names) {
        for (MatrixChange change : changes) {
            add(names.apply(change), change);
        }
        this.header = header();
    }

    private void add(String name, MatrixChange change) {
        switch (change) {
            case MatrixChange.LowRank low -> {
                metadata.put("kind." + name, "lowrank");
                metadata.put("scale." + name, Float.toString(low.scale()));
                add(name + ".lora_A", low.a());
                add(name + ".lora_B", low.b());
            }
            case MatrixChange.Replaced replaced -> {
                metadata.put("kind." + name, "full");
                add(name, replaced.matrix());
            }
            case MatrixChange.Rows rows -> {
                metadata.put("kind." + name, "rows");
                sections.add(new Section(name + ".rows", 0, 0, (row, out) -> { }, rows.tokens()));
                add(name + ".values", rows.matrix());
            }
        }
    }

    private void add(String name, MatrixChange.Factor factor) {
        sections.add(new Section(name, factor.rows(), factor.columns(), factor::copyRow, new int[0]));
    }

    private void add(String name, PanelMatrix matrix) {
        sections.add(new Section(name, matrix.rows(), matrix.columns(), (row, out) -> matrix.copyRow(row, out, 0), new int[0]));
    }

    private byte[] header() {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = new JsonFactory().createGenerator(text)) {
            json.writeStartObject();
            json.writeObjectFieldStart("__metadata__");
            for (Map.Entry<String, String> field : metadata.entrySet()) {
                json.writeStringField(field.getKey(), field.getValue());
            }
            json.writeEndObject();
            long offset = 0;
            for (Section section : sections) {
                json.writeObjectFieldStart(section.name());
                json.writeStringField("dtype", section.numbers().length > 0 ? "I32" : "F32");
                numbers(json, "shape", section.shape());
                numbers(json, "data_offsets", List.of(offset, offset + section.bytes()));
                json.writeEndObject();
                offset += section.bytes();
            }
            json.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        byte[] bytes = text.toString().getBytes(StandardCharsets.UTF_8);
        return (text + " ".repeat(Math.floorMod(-bytes.length, ALIGNMENT))).getBytes(StandardCharsets.UTF_8);
    }

    private static void numbers(JsonGenerator json, String name, List<Long> values) throws IOException {
        json.writeArrayFieldStart(name);
        for (long value : values) {
            json.writeNumber(value);
        }
        json.writeEndArray();
    }

    /** Length of the file. */
    long bytes() {
        return Long.BYTES + header.length + sections.stream().mapToLong(Section::bytes).sum();
    }

    void writeTo(Sink sink) throws AdminException {
        sink.accept(ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN).putLong(header.length).flip());
        sink.accept(ByteBuffer.wrap(header));
        ByteBuffer chunk = ByteBuffer.allocate(CHUNK_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (Section section : sections) {
            for (int number : section.numbers()) {
                room(chunk, sink).putInt(number);
            }
            float[] row = new float[section.columns()];
            for (int i = 0; i < section.rows(); i++) {
                section.values().copyRow(i, row);
                for (float value : row) {
                    room(chunk, sink).putFloat(value);
                }
            }
        }
        sink.accept(chunk.flip());
    }

    private static ByteBuffer room(ByteBuffer chunk, Sink sink) throws AdminException {
        if (chunk.remaining() < Integer.BYTES) {
            sink.accept(chunk.flip());
            chunk.clear();
        }
        return chunk;
    }
}
