package dev.tidestream.model.transformer;

import java.lang.foreign.Arena;
import java.lang.foreign.SegmentAllocator;
import java.util.Arrays;
import java.util.List;

import dev.tidestream.model.architecture.ModelException;
import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.gguf.GgufTensor;
import dev.tidestream.model.gguf.ModelSource;
import dev.tidestream.model.tensor.NonFiniteWeightException;
import dev.tidestream.model.tensor.Vectors;
import dev.tidestream.model.tensor.WeightTensor;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.tensor.memory.PageArena;
import dev.tidestream.model.tensor.panel.PanelPacker;

/** Reads single tensors of a model's files into memory of their own. Immutable; any thread. */
final class TensorReader {
    private static final List<TensorFormat> VECTOR_FORMATS =
            Arrays.stream(TensorFormat.values()).filter(format -> !format.quantised()).toList();

    private final ModelSource file;

    TensorReader(ModelSource file) {
        this.file = file;
    }

    /**
     * Reads a tensor: a matrix is repacked into panels, a vector widened to float32.
     *
     * @param shape what it must have, {@code (rows, columns)} or {@code (n)}
     * @throws ModelException if it has another shape, a type that cannot be used, or a value that is not finite
     * @throws dev.tidestream.model.gguf.GgufException if it is missing
     */
    @SuppressWarnings("MustBeClosedChecker") // the tensor that is returned owns the arena
    OwnedTensor read(String name, List<Long> shape, WorkerTeam team) {
        GgufTensor tensor = check(name, shape);
        if (shape.size() == 1) {
            return vector(tensor);
        }
        Arena arena = new PageArena();
        return matrix(tensor, arena, arena::close, team);
    }

    /**
     * The tensor of a name, if it is what it must be as far as can be said without the values of a matrix.
     *
     * @throws ModelException if it has another shape, a type that cannot be used, or is a vector with a value that is not finite
     * @throws dev.tidestream.model.gguf.GgufException if it is missing
     */
    GgufTensor check(String name, List<Long> shape) {
        GgufTensor tensor = file.tensor(name);
        List<Long> expected = shape.reversed(); // ggml names the fastest dimension first
        if (!tensor.dimensions().equals(expected)) {
            throw new ModelException("%s: tensor %s has shape %s, expected %s"
                    .formatted(file.path(), name, tensor.shape(), expected));
        }
        TensorFormat format = format(tensor);
        if (shape.size() == 1 && format.quantised()) {
            throw unsupported(tensor, "is a vector of a type", VECTOR_FORMATS);
        }
        if (shape.size() == 1) {
            finite(tensor);
        }
        return tensor;
    }

    /**
     * Repacks a matrix.
     *
     * @param memory of the panels
     * @param free gives it back; called if this throws
     */
    OwnedTensor matrix(GgufTensor tensor, SegmentAllocator memory, Runnable free, WorkerTeam team) {
        boolean done = false;
        try (Arena made = new PageArena()) {
            int rows = Math.toIntExact(tensor.rows());
            int columns = Math.toIntExact(tensor.columns());
            OwnedTensor owned = new OwnedTensor(new WeightTensor.Matrix(PanelPacker.pack(
                    tensor.name(), format(tensor), rows, columns, file.data(tensor, made), memory, team)), free);
            done = true;
            return owned;
        } catch (NonFiniteWeightException e) {
            throw new ModelException("%s: %s".formatted(file.path(), e.getMessage()));
        } finally {
            if (!done) {
                free.run();
            }
        }
    }

    private OwnedTensor vector(GgufTensor tensor) {
        return new OwnedTensor(new WeightTensor.Vector(format(tensor), finite(tensor)), () -> {});
    }

    /** The values of a vector. */
    private float[] finite(GgufTensor tensor) {
        TensorFormat format = format(tensor);
        float[] values;
        try (Arena made = Arena.ofConfined()) {
            values = Vectors.toFloats(format, file.data(tensor, made), Math.toIntExact(tensor.columns()));
        }
        for (int i = 0; i < values.length; i++) {
            if (!Float.isFinite(values[i])) {
                throw new ModelException("%s: tensor %s is not finite at %d: %s"
                        .formatted(file.path(), tensor.name(), i, values[i]));
            }
        }
        return values;
    }

    /** The format that a tensor of the file is held in. */
    TensorFormat format(GgufTensor tensor) {
        return TensorFormat.find(tensor.type().name())
                .orElseThrow(() -> unsupported(tensor, "has a type", List.of(TensorFormat.values())));
    }

    private ModelException unsupported(GgufTensor tensor, String what, List<TensorFormat> supported) {
        return new ModelException("%s: tensor %s %s this version cannot compute with: %s (supported: %s)"
                .formatted(file.path(), tensor.name(), what, tensor.type(), supported));
    }
}
