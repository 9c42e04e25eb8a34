package dev.tidestream.model.tuning;

import java.util.EnumSet;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.kernels.KernelSelection;
import dev.tidestream.model.nd4j.Nd4jProducts;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.model.transformer.ModelLoader;
import dev.tidestream.model.transformer.RandomLlama;
import dev.tidestream.model.tuning.product.MatrixProducts;

/** A random model of 2 layers, 64 elements and 100 tokens, with grouped queries, and what is trained in it. */
final class TinyTuning {
    static final MatrixProducts PRODUCTS = new Nd4jProducts();
    static final int CONTEXT = 12;
    static final int VOCABULARY = 100;

    private TinyTuning() {}

    static LoadedModel load(RandomLlama llama) {
        return ModelLoader.load(llama.file(), KernelSelection.fastest(), WorkerTeam.sequential(), ModelLoader.ProgressListener.NONE);
    }

    /** All linear layers and these rows. */
    static Trained trained(Integer... rows) {
        return new Trained(EnumSet.allOf(Target.class), 3, 6, List.of(rows));
    }

    static TuningModel model(RandomLlama llama, Trained trained, long seed) {
        try (LoadedModel loaded = load(llama)) {
            return TuningModel.of(loaded, trained, CONTEXT, seed);
        }
    }

    static TuningModel model(Trained trained, long seed) {
        return model(new RandomLlama(TensorFormat.F32), trained, seed);
    }

    static Trainer trainer(TuningModel model, Adam adam) {
        return new Trainer(model, adam, new LearningRate(0.01, 2, 20), PRODUCTS, WorkerTeam.sequential());
    }

    /** So many sequences, the same for a seed. */
    static List<int[]> sequences(int count, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        return IntStream.range(0, count).mapToObj(i -> random.ints(CONTEXT + 1, 0, VOCABULARY).toArray()).toList();
    }
}
