package dev.tidestream.model.quantisation;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.function.LongConsumer;

import dev.tidestream.model.architecture.ModelException;
import dev.tidestream.model.architecture.TensorPlan;
import dev.tidestream.model.architecture.TensorRole;
import dev.tidestream.model.architecture.family.Architectures;
import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.format.base.PanelLayout;
import dev.tidestream.model.gguf.GgmlType;
import dev.tidestream.model.gguf.GgufFileWriter;
import dev.tidestream.model.gguf.GgufTensor;
import dev.tidestream.model.gguf.GgufValue;
import dev.tidestream.model.gguf.GgufValueType;
import dev.tidestream.model.gguf.ModelSource;
import dev.tidestream.model.tensor.NonFiniteWeightException;
import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.Vectors;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.tensor.memory.PageArena;
import dev.tidestream.model.tensor.panel.PanelQuantiser;

/**
 * Writes a model as one GGUF file, its weights brought into other formats: the bits are those that loading the same model with
 * the same formats gives. A tied model stays one, without an output matrix, also if its file holds the matrix twice; vectors become
 * float32.
 */
public final class GgufConversion {
    private static final String FILE_TYPE = "general.file_type";
    private static final String QUANTIZATION_VERSION = "general.quantization_version";
    private static final int VERSION = 2; // of ggml's formats

    /** What llama.cpp calls a file whose matrices are mostly of a format ({@code llama_ftype}); of K-quants the small mixture. */
    private static final Map<TensorFormat, Integer> FILE_TYPES = Map.ofEntries(
            Map.entry(TensorFormat.F32, 0), Map.entry(TensorFormat.F16, 1), Map.entry(TensorFormat.BF16, 32),
            Map.entry(TensorFormat.Q4_0, 2), Map.entry(TensorFormat.Q4_1, 3), Map.entry(TensorFormat.Q5_0, 8),
            Map.entry(TensorFormat.Q5_1, 9), Map.entry(TensorFormat.Q8_0, 7), Map.entry(TensorFormat.Q2_K, 10),
            Map.entry(TensorFormat.Q3_K, 11), Map.entry(TensorFormat.Q4_K, 14), Map.entry(TensorFormat.Q5_K, 16),
            Map.entry(TensorFormat.Q6_K, 18), Map.entry(TensorFormat.IQ4_NL, 25), Map.entry(TensorFormat.TQ1_0, 36),
            Map.entry(TensorFormat.TQ2_0, 37));

    private final ModelSource source;
    private final TensorPlan plan;
    private final Map<String, TensorFormat> held = new LinkedHashMap<>(); // of the tensors that are written, in their order
    private final GgufFileWriter writer;

    /**
     * Lays the file out.
     *
     * @param source of a model that can be loaded
     * @param formats with a format of the weights
     * @param more metadata that the source does not have as such: of a folder, those of its tokenizer
     */
    public GgufConversion(ModelSource source, WeightFormats formats, Map<String, GgufValue> more) {
        this.source = source;
        this.plan = Architectures.plan(source).tensors();
        Optional<String> copy = plan.blueprint().tied() ? plan.names().find(TensorRole.OUTPUT) : Optional.empty();
        List<GgufFileWriter.Tensor> tensors = new ArrayList<>();
        for (GgufTensor tensor : source.tensors().values()) {
            if (!copy.equals(Optional.of(tensor.name()))) {
                TensorFormat format = held(tensor, formats);
                held.put(tensor.name(), format);
                tensors.add(new GgufFileWriter.Tensor(tensor.name(), GgmlType.valueOf(format.name()), tensor.dimensions()));
            }
        }
        this.writer = new GgufFileWriter(metadata(formats, more), tensors);
    }

    private TensorFormat held(GgufTensor tensor, WeightFormats formats) {
        TensorPlan.Planned planned = plan.tensors().get(tensor.name());
        if (planned == null || !planned.matrix()) { // what is not planned and yet there are factors of another context
            return TensorFormat.F32;
        }
        return formats.of(planned, plan.blueprint().tied(), format(tensor));
    }

    private TensorFormat format(GgufTensor tensor) {
        return TensorFormat.find(tensor.type().name()).orElseThrow(() -> new ModelException("%s: tensor %s has a type that cannot be read: %s"
                .formatted(source.path(), tensor.name(), tensor.type())));
    }

    private SequencedMap<String, GgufValue> metadata(WeightFormats formats, Map<String, GgufValue> more) {
        SequencedMap<String, GgufValue> metadata = new LinkedHashMap<>();
        source.metadata().keys().forEach(key -> metadata.put(key, source.metadata().value(key)));
        metadata.putAll(more);
        formats.weights().ifPresent(format ->
                metadata.put(FILE_TYPE, new GgufValue.IntegerValue(GgufValueType.U32, Objects.requireNonNull(FILE_TYPES.get(format)))));
        metadata.put(QUANTIZATION_VERSION, new GgufValue.IntegerValue(GgufValueType.U32, VERSION));
        return metadata;
    }

    /** Length of the file that is written. */
    public long fileBytes() {
        return writer.fileBytes();
    }

    /**
     * Writes it, see {@link GgufFileWriter#write}.
     *
     * @param team encodes
     * @param progress told how many bytes were written so far
     * @return what was brought into another format, in the order of the file
     * @throws ModelException if a weight is not finite, or too large for its format
     */
    public List<ChangedMatrix> write(Path file, boolean replace, WorkerTeam team, LongConsumer progress) throws IOException {
        List<ChangedMatrix> changed = new ArrayList<>();
        try {
            writer.write(file, replace, (tensor, sink) -> {
                GgufTensor from = source.tensor(tensor.name());
                source.willNeed(from);
                write(from, sink, team).ifPresent(changed::add);
                source.release(from);
            }, progress);
        } catch (NonFiniteWeightException e) {
            throw new ModelException("%s: %s".formatted(source.path(), e.getMessage()));
        }
        return List.copyOf(changed);
    }

    private Optional<ChangedMatrix> write(GgufTensor tensor, GgufFileWriter.Sink sink, WorkerTeam team) throws IOException {
        TensorFormat from = format(tensor);
        TensorFormat to = held.getOrDefault(tensor.name(), from);
        try (Arena arena = new PageArena()) {
            MemorySegment data = source.data(tensor, arena);
            if (from == to) {
                sink.write(data);
                return Optional.empty();
            }
            int columns = Math.toIntExact(tensor.columns());
            if (tensor.dimensions().size() == 1) {
                float[] values = Vectors.toFloats(from, data, columns);
                MemorySegment floats = arena.allocate((long) columns * Float.BYTES, PanelMatrix.ALIGNMENT_BYTES);
                MemorySegment.copy(values, 0, floats, PanelLayout.FLOAT, 0, columns);
                sink.write(floats);
                return Optional.empty();
            }
            PanelQuantiser.Quantised quantised = PanelQuantiser.pack(
                    tensor.name(), from, to, Math.toIntExact(tensor.rows()), columns, data, arena, team);
            sink.write(rows(quantised.matrix(), arena, team));
            return Optional.of(new ChangedMatrix(tensor.name(), from, to, quantised.error()));
        }
    }

    /** A matrix as it stands in a file. */
    private static MemorySegment rows(PanelMatrix matrix, Arena arena, WorkerTeam team) {
        MemorySegment rows = arena.allocate(
                matrix.format().format().fileBytes(matrix.rows(), matrix.columns()), PanelMatrix.ALIGNMENT_BYTES);
        team.forEachRange(matrix.panels(), 1, (from, to) -> {
            for (int panel = from; panel < to; panel++) {
                for (int lane = 0; lane < matrix.rowsOf(panel); lane++) {
                    matrix.format().format().unpackRow(matrix.panelData(), matrix.panelOffset(panel), lane, matrix.columns(), rows,
                            panel * PanelLayout.ROWS + lane);
                }
            }
        });
        return rows;
    }
}
