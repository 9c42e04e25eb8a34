package dev.tidestream.model.transformer;

import java.util.List;

import dev.tidestream.model.tensor.Activations;
import dev.tidestream.model.tensor.Kernels;
import dev.tidestream.model.tensor.MatrixGroup;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.tied.EmbeddingLayer;

/**
 * The LLaMA forward pass over a batch of slices.
 *
 * <p>Rows of all slices stand one below the other and go through every matrix together; only attention knows which row belongs
 * to whom. Every kernel treats a row as if it were alone (see {@link Kernels}), therefore so does this: a row's hidden state and
 * logits have the same bits whatever else is in the batch, however a prompt was cut, on however many threads.
 *
 * <p>Blueprint ({@link ModelConfig}), weights ({@link ModelWeights}) and state ({@link KvCache}) never mix; scratch
 * space ({@link ForwardScratch}) holds nothing between passes. One caller at a time.
 */
public final class Transformer implements LanguageModel {
    private static final int ELEMENT_GRAIN = 8192;

    private final ModelConfig config;
    private final ModelWeights weights;
    private final LayerWeights[] layers;
    private final Kernels kernels;
    private final WorkerTeam team;
    private final Precision precision;
    private final boolean int8; // in the layers
    private final ForwardScratch scratch;
    private final HeadProbes probes;
    private final Attention attention;

    /**
     * @param team works on one region at a time, on behalf of this model's caller
     * @param precision of layers, head and KV cache
     * @param scratch of this caller
     * @param probes told about every use of the head
     */
    Transformer(
            ModelConfig config,
            ModelWeights weights,
            Kernels kernels,
            WorkerTeam team,
            Precision precision,
            ForwardScratch scratch,
            HeadProbes probes) {
        this.config = config;
        this.weights = weights;
        this.layers = weights.layers().toArray(LayerWeights[]::new);
        this.kernels = kernels;
        this.team = team;
        this.precision = precision;
        this.int8 = precision.body() == ActivationPrecision.INT8;
        this.scratch = scratch;
        this.probes = probes;
        this.attention = new Attention(config, weights.rope(), kernels, team, scratch);
    }

    /** The blueprint. */
    public ModelConfig config() {
        return config;
    }

    /** The weights. */
    public ModelWeights weights() {
        return weights;
    }

    @Override
    public int vocabularySize() {
        return config.vocabularySize();
    }

    @Override
    public int contextLength() {
        return config.contextLength();
    }

    @Override
    public KvCacheShape kvCacheShape() {
        return config.kvCacheShape(precision.kvType());
    }

    @Override
    public Kernels kernels() {
        return kernels;
    }

    @Override
    public int maxRows() {
        return scratch.maxRows;
    }

    @Override
    public int forward(List<Slice> slices, float[] logits) {
        int rows = ForwardChecks.rows(this, slices, logits);
        scratch.require(rows);
        float[] residual = scratch.residual; // (rows, H)
        Activations normed = scratch.normed;
        float[] projected = scratch.projected; // (rows, H)
        embed(slices, rows);
        attention.begin(slices, rows);

        for (int layer = 0; layer < layers.length; layer++) {
            LayerWeights w = layers[layer];

            norm(residual, w.attentionNorm(), normed, rows);
            prepare(normed, w.queryKeyValue());
            w.queryKeyValue().multiply(kernels, team, normed, scratch.query, scratch.key, scratch.value);
            attention.attend(layer, rows, scratch.attended);
            prepare(scratch.attended, w.attentionOutput());
            w.attentionOutput().multiply(kernels, team, scratch.attended, projected);
            addTo(residual, projected, rows * config.hiddenSize());

            norm(residual, w.feedForwardNorm(), normed, rows);
            prepare(normed, w.gateUp());
            feedForward(w, rows);
            w.down().multiply(kernels, team, scratch.gated, projected);
            addTo(residual, projected, rows * config.hiddenSize());
        }
        for (Slice slice : slices) {
            slice.cache().advance(slice.count());
        }
        return logits(slices, logits);
    }

    /** From {@code normed} to {@code gated}, where the gates are computed as well, ready for the next matrix. */
    private void feedForward(LayerWeights w, int rows) {
        float[] gate = scratch.gated.values(); // (rows, F)
        scratch.gated.reset(rows);
        if (rows == 1) {
            boolean quantise = int8 && w.down().quantised();
            w.gateUp().multiplyGated(kernels, team, scratch.normed, gate, scratch.up, scratch.gated, quantise);
            return;
        }
        w.gateUp().multiply(kernels, team, scratch.normed, gate, scratch.up);
        team.forEachRange(rows * config.feedForwardSize(), ELEMENT_GRAIN,
                (from, to) -> kernels.swiGlu(gate, scratch.up, gate, from, to));
        prepare(scratch.gated, w.down());
    }

    private void embed(List<Slice> slices, int rows) {
        int[] tokens = new int[rows];
        int row = 0;
        for (Slice slice : slices) {
            System.arraycopy(slice.tokens(), slice.from(), tokens, row, slice.count());
            row += slice.count();
        }
        int hiddenSize = config.hiddenSize();
        team.forEachRange(rows, 2, (from, to) ->
                weights.embedding().lookup(tokens, from, to - from, scratch.residual, from * hiddenSize));
    }

    private void norm(float[] x, float[] weight, Activations out, int rows) {
        int hiddenSize = config.hiddenSize();
        out.reset(rows);
        team.forEachRange(rows, Math.max(1, ELEMENT_GRAIN / hiddenSize), (from, to) -> {
            for (int row = from; row < to; row++) {
                kernels.rmsNorm(x, row * hiddenSize, weight, config.rmsEps(), out.values(), row * hiddenSize);
            }
        });
    }

    private void prepare(Activations x, MatrixGroup matrices) {
        if (int8 && matrices.quantised()) {
            x.quantise(kernels, team);
        }
    }

    private void addTo(float[] sum, float[] x, int length) {
        team.forEachRange(length, ELEMENT_GRAIN, (from, to) -> {
            for (int i = from; i < to; i++) {
                sum[i] += x[i];
            }
        });
    }

    /** Final norm and head, for the rows that need logits only; in passes of at most {@code maxRows}. */
    private int logits(List<Slice> slices, float[] logits) {
        int wanted = 0;
        int row = 0;
        int hiddenSize = config.hiddenSize();
        for (Slice slice : slices) {
            int first = switch (slice.logits()) {
                case NONE -> slice.count();
                case LAST -> slice.count() - 1;
                case ALL -> 0;
            };
            for (int i = first; i < slice.count(); i++) {
                System.arraycopy(scratch.residual, (row + i) * hiddenSize, scratch.projected, wanted * hiddenSize, hiddenSize);
                wanted++;
            }
            row += slice.count();
        }
        if (wanted > 0) {
            norm(scratch.projected, weights.outputNorm(), scratch.normed, wanted);
            head(wanted, logits);
        }
        return wanted;
    }

    private void head(int rows, float[] logits) {
        EmbeddingLayer embedding = weights.embedding();
        long startNs = System.nanoTime();
        if (precision.inHead(embedding, embedding.mode()) == ActivationPrecision.INT8) {
            scratch.normed.quantise(kernels, team); // values stay: they are what heads are compared on
        }
        embedding.logits(scratch.normed, logits, team);
        probes.observer().logitsComputed(embedding.mode(), rows, embedding.bytesRead(rows), System.nanoTime() - startNs);
        probes.recent().record(scratch.normed.values(), 0);
    }
}
