package dev.tidestream.model.tied;

import dev.tidestream.model.nd4j.DenseHead;
import dev.tidestream.model.nd4j.Nd4jException;
import dev.tidestream.model.tensor.Activations;
import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.WorkerTeam;

/** A tied embedding whose logits come from a dense copy beside the panels. */
final class DenseTiedEmbedding extends TiedPanels {
    private final HeadMode mode;
    private final DenseHead head;

    /** @param head of the same weight; closed with this layer */
    DenseTiedEmbedding(HeadMode mode, TiedWeightConfig config, PanelMatrix weight, DenseHead head) {
        super(config, weight);
        this.mode = mode;
        this.head = head;
    }

    @Override
    public HeadMode mode() {
        return mode;
    }

    @Override
    public long derivedBytes() {
        return head.bytes();
    }

    /** A row at a time: the matrix once per row, and before that, to transpose it, read once and written once. */
    @Override
    public long bytesRead(int rows) {
        return switch (mode) {
            case TRANSPOSE_PER_STEP -> (2L + rows) * head.bytes();
            case CACHED_TRANSPOSE -> rows * head.bytes();
            case PACKED -> bytes();
        };
    }

    @Override
    public TiedWeightStats stats() {
        boolean transposed = mode == HeadMode.CACHED_TRANSPOSE;
        return new TiedWeightStats(
                bytes() + (transposed ? 0 : head.bytes()),
                transposed ? head.bytes() : 0,
                head.bytes());
    }

    @Override
    public void logits(Activations hidden, float[] logits, WorkerTeam team) {
        EmbeddingChecks.logits(hidden, hiddenSize(), logits, vocabularySize());
        try {
            head.logits(hidden.values(), hidden.rows(), logits, team);
        } catch (Nd4jException e) {
            throw new TiedWeightException.HeadModeUnavailable(TiedHeads.message(mode, e), e);
        }
    }

    @Override
    public void close() {
        head.close();
    }
}
