package dev.tidestream.server.admin.export;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.SequencedSet;
import java.util.function.LongUnaryOperator;

import dev.tidestream.model.architecture.Tie;
import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.gguf.GgmlType;
import dev.tidestream.model.gguf.GgufFileWriter;
import dev.tidestream.model.gguf.GgufTensor;
import dev.tidestream.model.gguf.GgufValue;
import dev.tidestream.model.gguf.ModelSource;
import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.WeightTensor;
import dev.tidestream.model.transformer.LoadedModel;

/**
 * A version as a GGUF file that a server can load: every matrix in the format that it is held in, to the bit, vectors as float32. A tied
 * version has no output matrix. The one exception: a matrix of {@code I2_S} of which rows were replaced is float32, since that format has
 * one scale for all rows.
 */
public final class GgufExport {
    private static final String FILE_TYPE = "general.file_type";

    private final ModelSource source;
    private final LoadedModel model;
    private final List<GgufFileWriter.Tensor> tensors = new ArrayList<>();
    private final List<ExportFile.Stretch> stretches = new ArrayList<>();
    private boolean otherFormats;

    private GgufExport(ModelSource source, LoadedModel model) {
        this.source = source;
        this.model = model;
    }

    /**
     * Lays the file out.
     *
     * @param source of the base: metadata, and tensors that are not held
     * @param model of the version; stays open until the file was read
     * @param more metadata that the source does not have as such
     */
    public static ExportFile of(ModelSource source, LoadedModel model, Map<String, GgufValue> more) {
        GgufExport export = new GgufExport(source, model);
        export.names().forEach(export::add);
        GgufFileWriter writer = new GgufFileWriter(export.metadata(more), export.tensors);
        return new ExportFile(writer.front(), export.stretches);
    }

    /** In the order of the source; an output matrix that the source has not comes last. */
    private SequencedSet<String> names() {
        SequencedSet<String> names = new LinkedHashSet<>(source.tensors().keySet());
        if (model.blueprint().tied()) {
            model.outputName().ifPresent(names::remove); // the embedding once more
        }
        names.addAll(model.tensorNames());
        return names;
    }

    private void add(String name) {
        Optional<WeightTensor> held = model.tensor(name);
        if (held.isEmpty()) {
            GgufTensor tensor = source.tensor(name);
            add(name, tensor.type(), tensor.dimensions(), new StoredBytes(source, tensor));
            return;
        }
        switch (held.get()) {
            case WeightTensor.Vector vector ->
                add(name, GgmlType.F32, vector.shape(), new VectorBytes(vector.values(), TensorFormat.F32));
            case WeightTensor.Matrix(PanelMatrix matrix) -> {
                TensorBytes bytes = bytes(matrix);
                TensorFormat format = bytes instanceof RowBytes rows ? rows.to() : matrix.format();
                otherFormats |= source.findTensor(name).filter(tensor -> !tensor.type().name().equals(format.name())).isPresent();
                add(name, GgmlType.valueOf(format.name()), held.get().shape().reversed(), bytes);
            }
        }
    }

    private static TensorBytes bytes(PanelMatrix matrix) {
        TensorFormat format = matrix.format();
        boolean rowByRow = format.format().fileBytes(matrix.rows(), matrix.columns()) == matrix.rows() * format.rowBytes(matrix.columns());
        if (rowByRow) {
            return new RowBytes(matrix, format, LongUnaryOperator.identity());
        }
        WholeBytes whole = new WholeBytes(matrix);
        return whole.possible() ? whole : new RowBytes(matrix, TensorFormat.F32, LongUnaryOperator.identity());
    }

    private void add(String name, GgmlType type, List<Long> dimensions, TensorBytes bytes) {
        tensors.add(new GgufFileWriter.Tensor(name, type, dimensions));
        stretches.add(new ExportFile.Stretch(bytes, GgufFileWriter.padding(bytes.bytes())));
    }

    private SequencedMap<String, GgufValue> metadata(Map<String, GgufValue> more) {
        SequencedMap<String, GgufValue> metadata = new LinkedHashMap<>();
        source.metadata().keys().forEach(key -> metadata.put(key, source.metadata().value(key)));
        metadata.putAll(more);
        if (otherFormats) {
            metadata.remove(FILE_TYPE); // what it says of most matrices may not be so
        }
        if (!model.blueprint().tied() && metadata.containsKey(Tie.KEY)) {
            metadata.put(Tie.KEY, new GgufValue.BoolValue(false));
        }
        return metadata;
    }
}
