package dev.tidestream.model.transformer;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.Set;
import java.util.stream.IntStream;

import dev.tidestream.model.gguf.GgufFile;
import dev.tidestream.model.gguf.GgufTensor;
import dev.tidestream.model.tensor.Kernels;
import dev.tidestream.model.tensor.TensorFormat;
import dev.tidestream.model.tensor.Vectors;
import dev.tidestream.model.tensor.WeightTensor;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.tensor.panel.PanelPacker;

/**
 * Cuts a small model out of a large one: the upper left corner of its matrices, a few of its heads, one layer for each mixture
 * of formats.
 * What it says means nothing. It goes through the same kernels in a thousandth of the time, so that they can be compiled before
 * the
 * large one runs, which takes minutes with kernels that are not.
 */
final class Miniature {
    private static final int SUPER_BLOCK = 256; // columns of the largest block of any format
    private static final int FEED_FORWARD = 2 * SUPER_BLOCK;
    /** If the model has as many: a whole tile of maxima, and a part of one, so that the code of both is met. */
    private static final int VOCABULARY = Kernels.MAXIMA_TILE + 4 * Kernels.PARTIALS;
    private static final int LAYERS = 4;

    private final GgufFile file;
    private final ModelConfig large;
    private final TensorReader reader;

    Miniature(GgufFile file, ModelConfig large, TensorReader reader) {
        this.file = file;
        this.large = large;
        this.reader = reader;
    }

    /** Cuts and packs it. */
    LoadedModel load(Kernels kernels) {
        List<Integer> layers = layers();
        ModelConfig small = config(layers.size());
        boolean ropeFactors = file.findTensor(TensorPlan.ROPE_FACTORS).isPresent();
        SequencedMap<String, OwnedTensor> tensors = new LinkedHashMap<>();
        boolean done = false;
        try {
            TensorPlan.of(small, ropeFactors).forEach((name, shape) ->
                    tensors.put(name, cut(file.tensor(nameInFile(name, layers)), shape)));
            LoadedModel model = LoadedModel.of(small, tensors, kernels);
            done = true;
            return model;
        } finally {
            if (!done) {
                tensors.values().forEach(OwnedTensor::close);
            }
        }
    }

    /** The first layer of each mixture of formats. */
    private List<Integer> layers() {
        Set<List<TensorFormat>> seen = new HashSet<>();
        return IntStream.range(0, large.layers())
                .filter(layer -> seen.add(formats(TensorPlan.layer(layer)))).limit(LAYERS).boxed().toList();
    }

    private List<TensorFormat> formats(String prefix) {
        return file.tensors().values().stream().filter(tensor -> tensor.name().startsWith(prefix))
                .map(reader::format).toList();
    }

    private ModelConfig config(int layers) {
        int group = large.heads() / large.kvHeads();
        int kvHeads = 1;
        while (kvHeads < large.kvHeads() && kvHeads * group * large.headDim() % SUPER_BLOCK != 0) {
            kvHeads++;
        }
        return new ModelConfig(large.name(), Math.min(large.vocabularySize(), VOCABULARY),
                cut(large.hiddenSize(), SUPER_BLOCK), layers, kvHeads * group, kvHeads, large.headDim(),
                cut(large.feedForwardSize(), FEED_FORWARD), large.contextLength(), large.rmsEps(),
                large.ropeTheta(), large.ropeDim(), large.ropePositionScale(), large.tied());
    }

    private static int cut(int size, int wanted) {
        return size % SUPER_BLOCK == 0 ? Math.min(size, wanted) : size;
    }

    private static String nameInFile(String name, List<Integer> layers) {
        for (int i = 0; i < layers.size(); i++) {
            if (name.startsWith(TensorPlan.layer(i))) {
                return TensorPlan.layer(layers.get(i)) + name.substring(TensorPlan.layer(i).length());
            }
        }
        return name;
    }

    private OwnedTensor cut(GgufTensor tensor, List<Long> shape) {
        TensorFormat format = reader.format(tensor);
        MemorySegment data = file.data(tensor);
        int columns = Math.toIntExact(shape.getLast());
        if (shape.size() == 1) {
            float[] values = Vectors.toFloats(format, data, Math.toIntExact(tensor.columns()));
            return new OwnedTensor(new WeightTensor.Vector(TensorFormat.F32, Arrays.copyOf(values, columns)), () -> {});
        }
        int rows = Math.toIntExact(shape.getFirst());
        long rowBytes = format.rowBytes(columns);
        Arena arena = Arena.ofAuto(); // a few hundred KB, once
        MemorySegment corner = arena.allocate(rows * rowBytes, Long.BYTES);
        for (int row = 0; row < rows; row++) {
            MemorySegment.copy(data, row * format.rowBytes(Math.toIntExact(tensor.columns())), corner, row * rowBytes, rowBytes);
        }
        return new OwnedTensor(new WeightTensor.Matrix(
                PanelPacker.pack(tensor.name(), format, rows, columns, corner, arena, WorkerTeam.sequential())), () -> {});
    }
}
