package dev.tidestream.model.transformer;

import java.util.List;

import dev.tidestream.model.adapter.AdapterRows;
import dev.tidestream.model.adapter.AdapterRows.Output;
import dev.tidestream.model.adapter.AdapterSite;
import dev.tidestream.model.adapter.RowGroups;
import dev.tidestream.model.architecture.Blueprint;
import dev.tidestream.model.architecture.FeedForwardPlan;
import dev.tidestream.model.format.base.ActivationScaling;
import dev.tidestream.model.tensor.ActivationFunction;
import dev.tidestream.model.tensor.Activations;
import dev.tidestream.model.tensor.Kernels;
import dev.tidestream.model.tensor.MatrixGroup;
import dev.tidestream.model.tensor.Norm;
import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.tied.EmbeddingLayer;

import static dev.tidestream.model.adapter.AdapterSite.ATTENTION_OUTPUT;
import static dev.tidestream.model.adapter.AdapterSite.DOWN;
import static dev.tidestream.model.adapter.AdapterSite.GATE_UP;
import static dev.tidestream.model.adapter.AdapterSite.QUERY_KEY_VALUE;

/**
 * The forward pass of a decoder-only transformer over a batch of slices, as its blueprint says.
 *
 * <p>Rows of all slices stand one below the other and go through every matrix together; only attention knows which row belongs
 * to whom. Every kernel treats a row as if it were alone (see {@link Kernels}), therefore so does this: a row's hidden state and
 * logits have the same bits whatever else is in the batch, however a prompt was cut, on however many threads. A row may have an
 * adapter, which adds to the products of its row alone ({@link AdapterRows}).
 *
 * <p>{@link Blueprint}, weights ({@link ModelWeights}) and state ({@link KvCache}) never mix; scratch
 * space ({@link ForwardScratch}) holds nothing between passes. One caller at a time.
 */
public final class Transformer implements LanguageModel {
    private static final int ELEMENT_GRAIN = 8192;

    private final Blueprint blueprint;
    private final ModelWeights weights;
    private final LayerWeights[] layers;
    private final Kernels kernels;
    private final WorkerTeam team;
    private final Precision precision;
    private final boolean int8; // in the layers
    private final ForwardScratch scratch;
    private final HeadProbes probes;
    private final Attention attention;
    private final AdapterRows adapterRows;
    private final RowGroups adapted = new RowGroups(); // rows of the pass
    private final RowGroups adaptedLogits = new RowGroups(); // rows of logits

    /**
     * @param team works on one region at a time, on behalf of this model's caller
     * @param precision of layers, head and KV cache
     * @param scratch of this caller
     * @param probes told about every use of the head
     */
    Transformer(
            Blueprint blueprint,
            ModelWeights weights,
            Kernels kernels,
            WorkerTeam team,
            Precision precision,
            ForwardScratch scratch,
            HeadProbes probes) {
        this.blueprint = blueprint;
        this.weights = weights;
        this.layers = weights.layers().toArray(LayerWeights[]::new);
        this.kernels = kernels;
        this.team = team;
        this.precision = precision;
        this.int8 = precision.body() == ActivationPrecision.INT8;
        this.scratch = scratch;
        this.probes = probes;
        this.attention = new Attention(blueprint, weights.rotations(), weights.layers().stream().map(LayerWeights::headNorms).toList(),
                kernels, team, scratch);
        this.adapterRows = new AdapterRows(kernels, team, scratch.adapters);
    }

    /** The blueprint. */
    public Blueprint blueprint() {
        return blueprint;
    }

    /** The weights. */
    public ModelWeights weights() {
        return weights;
    }

    @Override
    public int vocabularySize() {
        return blueprint.vocabularySize();
    }

    @Override
    public int contextLength() {
        return blueprint.contextLength();
    }

    @Override
    public KvCacheShape kvCacheShape() {
        return KvCacheShape.of(blueprint, precision.kvType(), scratch.maxRows);
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
        attention.begin(slices, rows);
        group(slices);
        embed(slices, rows);

        for (int layer = 0; layer < layers.length; layer++) {
            LayerWeights w = layers[layer];

            norm(w.attentionNorm(), residual, normed, rows);
            prepare(normed, w.queryKeyValue());
            w.queryKeyValue().multiply(kernels, team, normed, scratch.queryKeyValue);
            adapt(layer, QUERY_KEY_VALUE, normed, scratch.queryKeyValue, w.queryKeyValue().rows());
            attention.attend(layer, rows, scratch.attended); // normed, rotated, stored, attended
            w.attentionInnerNorm().ifPresent(norm -> normInPlace(norm, scratch.attended.values(), rows));
            prepare(scratch.attended, w.attentionOutput());
            w.attentionOutput().multiply(kernels, team, scratch.attended, projected);
            adapt(layer, ATTENTION_OUTPUT, scratch.attended, projected, blueprint.hiddenSize());
            w.attentionAfterNorm().ifPresent(norm -> normInPlace(norm, projected, rows));
            addTo(residual, projected, rows * blueprint.hiddenSize());

            norm(w.feedForwardNorm(), residual, normed, rows);
            prepare(normed, w.gateUp());
            feedForward(layer, blueprint.layers().get(layer).feedForward(), rows);
            w.down().multiply(kernels, team, scratch.activated, projected);
            adapt(layer, DOWN, scratch.activated, projected, blueprint.hiddenSize());
            w.feedForwardAfterNorm().ifPresent(norm -> normInPlace(norm, projected, rows));
            addTo(residual, projected, rows * blueprint.hiddenSize());
        }
        for (Slice slice : slices) {
            slice.cache().advance(slice.count());
        }
        return logits(slices, logits);
    }

    /** From {@code normed} to {@code activated}, ready for the next matrix. */
    private void feedForward(int layer, FeedForwardPlan plan, int rows) {
        LayerWeights w = layers[layer];
        Activations activated = scratch.activated; // (rows, F)
        float[] values = activated.values();
        ActivationFunction function = plan.function();
        activated.reset(rows);
        if (rows == 1 && !AdapterRows.change(adapted, layer, GATE_UP)) {
            boolean ready = int8 && w.down().quantised() && w.down().activations() == ActivationScaling.BLOCK
                    && w.feedForwardInnerNorm().isEmpty();
            w.gateUp().multiplyActivated(kernels, team, scratch.normed, function, values, scratch.up, activated, ready);
            if (ready) {
                return;
            }
        } else {
            w.gateUp().multiplyEach(kernels, team, scratch.normed, values, scratch.up);
            if (!adapted.isEmpty()) {
                adapterRows.add(adapted, layer, GATE_UP, scratch.normed,
                        new Output(values, plan.size()), new Output(scratch.up, plan.size()));
            }
            team.forEachRange(rows * plan.size(), ELEMENT_GRAIN, (from, to) -> {
                if (plan.gated()) {
                    kernels.gate(function, values, scratch.up, values, from, to);
                } else {
                    kernels.activate(function, values, values, from, to);
                }
            });
        }
        w.feedForwardInnerNorm().ifPresent(norm -> normInPlace(norm, values, rows));
        prepare(activated, w.down());
    }

    /** Embeddings, and learned positions if there are any. */
    private void embed(List<Slice> slices, int rows) {
        int[] tokens = new int[rows];
        int row = 0;
        for (Slice slice : slices) {
            System.arraycopy(slice.tokens(), slice.from(), tokens, row, slice.count());
            row += slice.count();
        }
        int hiddenSize = blueprint.hiddenSize();
        boolean adapts = !adapted.isEmpty();
        team.forEachRange(rows, 2, (from, to) -> {
            weights.embedding().lookup(tokens, from, to - from, scratch.residual, from * hiddenSize);
            if (!adapts) {
                finishEmbeddings(from, to);
            }
        });
        if (adapts) {
            adapterRows.lookup(adapted, tokens, scratch.residual, hiddenSize);
            team.forEachRange(rows, 2, this::finishEmbeddings);
        }
    }

    private void finishEmbeddings(int from, int to) {
        int hiddenSize = blueprint.hiddenSize();
        scale(scratch.residual, from * hiddenSize, to * hiddenSize);
        if (weights.positions().isPresent()) {
            addPositions(weights.positions().get(), from, to);
        }
    }

    /** Notes which rows have which adapter, of the pass and of its logits. */
    private void group(List<Slice> slices) {
        adapted.clear();
        adaptedLogits.clear();
        for (Slice slice : slices) {
            adapted.add(slice.adapter(), slice.count());
            adaptedLogits.add(slice.adapter(), switch (slice.logits()) {
                case NONE -> 0;
                case LAST -> 1;
                case ALL -> slice.count();
            });
        }
    }

    /** Adds what adapters make of the input of a matrix, or of some, to what these have made of it. */
    private void adapt(int layer, AdapterSite site, Activations x, float[] products, int stride) {
        if (!adapted.isEmpty()) {
            adapterRows.add(adapted, layer, site, x, new Output(products, stride));
        }
    }

    private void scale(float[] embeddings, int from, int to) {
        if (blueprint.embeddingScale() != 1) {
            for (int i = from; i < to; i++) {
                embeddings[i] *= blueprint.embeddingScale();
            }
        }
    }

    private void addPositions(PanelMatrix positions, int fromRow, int toRow) {
        int hiddenSize = blueprint.hiddenSize();
        for (int row = fromRow; row < toRow; row++) {
            positions.copyRow(scratch.positions[row], scratch.projected, row * hiddenSize);
        }
        for (int i = fromRow * hiddenSize; i < toRow * hiddenSize; i++) {
            scratch.residual[i] += scratch.projected[i];
        }
    }

    private void norm(Norm norm, float[] x, Activations out, int rows) {
        out.reset(rows);
        norm(norm, x, out.values(), rows);
    }

    private void normInPlace(Norm norm, float[] x, int rows) {
        norm(norm, x, x, rows);
    }

    private void norm(Norm norm, float[] x, float[] out, int rows) {
        int size = norm.size();
        team.forEachRange(rows, Math.max(1, ELEMENT_GRAIN / size), (from, to) -> {
            for (int row = from; row < to; row++) {
                kernels.normalise(norm, x, row * size, out, row * size);
            }
        });
    }

    private void prepare(Activations x, MatrixGroup matrices) {
        if (int8 && matrices.quantised()) {
            x.quantise(kernels, team, matrices.activations());
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
        int hiddenSize = blueprint.hiddenSize();
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
            norm(weights.outputNorm(), scratch.projected, scratch.normed, wanted);
            head(wanted, logits);
        }
        return wanted;
    }

    private void head(int rows, float[] logits) {
        EmbeddingLayer embedding = weights.embedding();
        if (!adaptedLogits.replaceAllHeads()) {
            long startNs = System.nanoTime();
            if (precision.inHead(embedding, embedding.mode()) == ActivationPrecision.INT8) {
                scratch.normed.quantise(kernels, team); // values stay: they are what heads are compared on
            }
            embedding.logits(scratch.normed, logits, team);
            probes.observer().logitsComputed(embedding.mode(), rows, embedding.bytesRead(rows), System.nanoTime() - startNs);
        }
        if (!adaptedLogits.isEmpty()) {
            adapterRows.head(adaptedLogits, scratch.normed, logits, blueprint.vocabularySize());
        }
        probes.recent().record(scratch.normed.values(), 0);
        if (blueprint.logitSoftcap() != 0) {
            team.forEachRange(rows * blueprint.vocabularySize(), ELEMENT_GRAIN,
                    (from, to) -> kernels.softcap(logits, from, to, blueprint.logitSoftcap()));
        }
    }
}
