package dev.tidestream.server.admin.export;

import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import org.jspecify.annotations.Nullable;

import dev.tidestream.model.architecture.TensorPlan;
import dev.tidestream.model.architecture.TensorRole;
import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.WeightTensor;
import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.server.huggingface.names.ModelTensorNames;
import dev.tidestream.server.huggingface.names.NamedTensor;

/**
 * A version as a safetensors file, under the names of Hugging Face and in the order of elements that its folders have; under GGUF's names
 * where the family has no others. F32, F16 and BF16 are kept to the bit; quantised matrices are float32, exactly, so a program that loads
 * the file computes in float32 what was computed with integers before. A tied version has no output matrix. Norms that GGUF holds with 1
 * added are written without it, as float32. What a folder has in its {@code config.json} is not in the file: rotation factors are not
 * written.
 */
public final class SafetensorsExport {
    private static final int ALIGNMENT = 8; // of the data, by spaces behind the header

    private static final Set<TensorRole> ROTATION =
            EnumSet.of(TensorRole.ROTATION_FACTORS, TensorRole.ROTATION_FACTORS_LONG, TensorRole.ROTATION_FACTORS_SHORT);

    private final LoadedModel model;
    private final ModelTensorNames names;
    private final List<Entry> entries = new ArrayList<>();

    /** A tensor of the file. */
    private record Entry(String name, TensorFormat format, List<Long> shape, TensorBytes bytes) {}

    private SafetensorsExport(LoadedModel model, ModelTensorNames names) {
        this.model = model;
        this.names = names;
    }

    /**
     * Lays the file out.
     *
     * @param model of the version; stays open until the file was read
     * @param names of its tensors
     * @param metadata of the file
     */
    public static ExportFile of(LoadedModel model, ModelTensorNames names, Map<String, String> metadata) {
        SafetensorsExport export = new SafetensorsExport(model, names);
        model.tensorNames().forEach(export::add);
        List<ExportFile.Stretch> stretches = export.entries.stream().map(entry -> new ExportFile.Stretch(entry.bytes(), 0)).toList();
        return new ExportFile(export.front(metadata), stretches);
    }

    private void add(String tensor) {
        if (isRotation(model.plan().tensors().get(tensor))) {
            return;
        }
        String name = names.theirs(tensor);
        NamedTensor named = names.find(name).orElseGet(() -> NamedTensor.own(tensor));
        Optional<WeightTensor> held = model.tensor(tensor);
        switch (held.orElseThrow()) {
            case WeightTensor.Vector vector -> add(name, named, vector);
            case WeightTensor.Matrix(PanelMatrix matrix) -> {
                TensorFormat to = matrix.format().quantised() ? TensorFormat.F32 : matrix.format();
                TensorBytes bytes = named.transposed() ? new TransposedBytes(matrix, to) : new RowBytes(matrix, to, named::heldRow);
                entries.add(new Entry(name, to, named.shape(held.get().shape()), bytes));
            }
        }
    }

    private static boolean isRotation(TensorPlan.@Nullable Planned planned) {
        return planned != null && ROTATION.contains(planned.role());
    }

    private void add(String name, NamedTensor named, WeightTensor.Vector vector) {
        TensorFormat to = named.added() == 0 ? vector.format() : TensorFormat.F32;
        float[] values = vector.values();
        if (named.added() != 0) {
            values = values.clone();
            for (int i = 0; i < values.length; i++) {
                values[i] -= named.added();
            }
        }
        entries.add(new Entry(name, to, vector.shape(), new VectorBytes(values, to)));
    }

    private byte[] front(Map<String, String> metadata) {
        byte[] header = header(metadata).getBytes(StandardCharsets.UTF_8);
        int length = Math.ceilDiv(header.length, ALIGNMENT) * ALIGNMENT;
        ByteBuffer front = ByteBuffer.allocate(Long.BYTES + length).order(ByteOrder.LITTLE_ENDIAN);
        front.putLong(length).put(header);
        while (front.hasRemaining()) {
            front.put((byte) ' ');
        }
        return front.array();
    }

    private String header(Map<String, String> metadata) {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = new JsonFactory().createGenerator(text)) {
            json.writeStartObject();
            json.writeObjectFieldStart("__metadata__");
            for (Map.Entry<String, String> field : metadata.entrySet()) {
                json.writeStringField(field.getKey(), field.getValue());
            }
            json.writeEndObject();
            long offset = 0;
            for (Entry entry : entries) {
                json.writeObjectFieldStart(entry.name());
                json.writeStringField("dtype", entry.format().name());
                numbers(json, "shape", entry.shape());
                numbers(json, "data_offsets", List.of(offset, offset + entry.bytes().bytes()));
                json.writeEndObject();
                offset += entry.bytes().bytes();
            }
            json.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return text.toString();
    }

    private static void numbers(JsonGenerator json, String name, List<Long> values) throws IOException {
        json.writeArrayFieldStart(name);
        for (long value : values) {
            json.writeNumber(value);
        }
        json.writeEndArray();
    }
}
