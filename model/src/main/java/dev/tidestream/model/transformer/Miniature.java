package dev.tidestream.model.transformer;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.OptionalInt;
import java.util.SequencedMap;
import java.util.Set;
import java.util.stream.IntStream;

import dev.tidestream.model.architecture.AttentionPlan;
import dev.tidestream.model.architecture.Blueprint;
import dev.tidestream.model.architecture.TensorPlan;
import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.gguf.GgufTensor;
import dev.tidestream.model.gguf.ModelSource;
import dev.tidestream.model.tensor.Kernels;
import dev.tidestream.model.tensor.Vectors;
import dev.tidestream.model.tensor.WeightTensor;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.tensor.memory.PageArena;
import dev.tidestream.model.tensor.panel.PanelPacker;

/**
 * Cuts a small warm-up model out of a large one: the upper left corner of its matrices, a few of its heads, one layer for each kind of
 * layer and mixture of formats. Its tokens are meaningless. It runs the same kernels in a thousandth of the time, so that the JIT
 * compiles them before the large model runs, which takes minutes with interpreted kernels.
 */
final class Miniature {
    private static final int SUPER_BLOCK = 256; // columns of the largest block of any format
    private static final int FEED_FORWARD = 2 * SUPER_BLOCK;
    /** If the model has as many: a whole tile of maxima, and a part of one, so that the code of both is met. */
    private static final int VOCABULARY = Kernels.MAXIMA_TILE + 4 * Kernels.PARTIALS;
    private static final int LAYERS = 4;

    private final ModelSource file;
    private final TensorPlan large;
    private final TensorReader reader;

    Miniature(ModelSource file, TensorPlan large, TensorReader reader) {
        this.file = file;
        this.large = large;
        this.reader = reader;
    }

    /** Cuts and packs it. */
    LoadedModel load(Kernels kernels) {
        List<Integer> layers = layers();
        TensorPlan small = new TensorPlan(blueprint(layers), large.names());
        SequencedMap<String, OwnedTensor> tensors = new LinkedHashMap<>();
        boolean done = false;
        try {
            small.tensors().forEach((name, planned) ->
                    tensors.put(name, cut(file.tensor(nameInFile(name, planned, layers)), planned.shape())));
            LoadedModel model = LoadedModel.of(small, tensors, kernels);
            done = true;
            return model;
        } finally {
            if (!done) {
                tensors.values().forEach(OwnedTensor::close);
            }
        }
    }

    /** The first layer of each kind and mixture of formats. */
    private List<Integer> layers() {
        Set<List<Object>> seen = new HashSet<>();
        return IntStream.range(0, large.blueprint().layers().size())
                .filter(layer -> seen.add(List.of(large.blueprint().layers().get(layer), formats(layer))))
                .limit(LAYERS).boxed().toList();
    }

    private List<TensorFormat> formats(int layer) {
        return large.tensors().entrySet().stream().filter(entry -> entry.getValue().layer().equals(OptionalInt.of(layer)))
                .map(entry -> reader.format(file.tensor(entry.getKey()))).toList();
    }

    private Blueprint blueprint(List<Integer> layers) {
        Blueprint blueprint = large.blueprint();
        AttentionPlan attention = blueprint.layers().getFirst().attention();
        int group = attention.heads() / attention.kvHeads();
        int kvHeads = 1;
        while (kvHeads < attention.kvHeads() && kvHeads * group * attention.headDim() % SUPER_BLOCK != 0) {
            kvHeads++;
        }
        return blueprint.shrunk(Math.min(blueprint.vocabularySize(), VOCABULARY), cut(blueprint.hiddenSize(), SUPER_BLOCK), kvHeads,
                cut(blueprint.feedForwardSize(), FEED_FORWARD), layers);
    }

    private static int cut(int size, int wanted) {
        return size % SUPER_BLOCK == 0 ? Math.min(size, wanted) : size;
    }

    /** The name that a tensor of the small model has in the large one's file: its layer has another number there. */
    private String nameInFile(String name, TensorPlan.Planned planned, List<Integer> layers) {
        if (planned.layer().isEmpty()) {
            return name;
        }
        int layer = layers.get(planned.layer().getAsInt());
        return planned.bias() ? large.names().bias(planned.role(), layer) : large.names().weight(planned.role(), layer);
    }

    private OwnedTensor cut(GgufTensor tensor, List<Long> shape) {
        try (Arena made = new PageArena()) {
            return cut(tensor, shape, made);
        }
    }

    private OwnedTensor cut(GgufTensor tensor, List<Long> shape, Arena made) {
        TensorFormat format = reader.format(tensor);
        MemorySegment data = file.data(tensor, made);
        int columns = Math.toIntExact(shape.getLast());
        if (shape.size() == 1) {
            float[] values = Vectors.toFloats(format, data, Math.toIntExact(tensor.columns()));
            return new OwnedTensor(new WeightTensor.Vector(TensorFormat.F32, Arrays.copyOf(values, columns)), () -> {});
        }
        int rows = Math.toIntExact(shape.getFirst());
        long rowBytes = format.rowBytes(columns);
        Arena arena = Arena.ofAuto(); // a few hundred KB, once
        MemorySegment corner = arena.allocate(format.format().fileBytes(rows, columns), Long.BYTES);
        for (int row = 0; row < rows; row++) {
            MemorySegment.copy(data, row * format.rowBytes(Math.toIntExact(tensor.columns())), corner, row * rowBytes, rowBytes);
        }
        long behind = corner.byteSize() - rows * rowBytes; // what a format has for all rows together
        MemorySegment.copy(data, data.byteSize() - behind, corner, rows * rowBytes, behind);
        return new OwnedTensor(new WeightTensor.Matrix(
                PanelPacker.pack(tensor.name(), format, rows, columns, corner, arena, WorkerTeam.sequential())), () -> {});
    }
}
