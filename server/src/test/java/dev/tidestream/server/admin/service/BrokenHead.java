package dev.tidestream.server.admin.service;

import dev.tidestream.model.tensor.Activations;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.tied.EmbeddingLayer;
import dev.tidestream.model.tied.HeadMode;
import dev.tidestream.model.tied.TiedWeightStats;

/** A head with one wrong logit. */
record BrokenHead(EmbeddingLayer right) implements EmbeddingLayer {
    @Override
    public int vocabularySize() {
        return right.vocabularySize();
    }

    @Override
    public int hiddenSize() {
        return right.hiddenSize();
    }

    @Override
    public boolean tied() {
        return right.tied();
    }

    @Override
    public void lookup(int token, float[] hidden, int offset) {
        right.lookup(token, hidden, offset);
    }

    @Override
    public void logits(Activations hidden, float[] logits, WorkerTeam team) {
        right.logits(hidden, logits, team);
        logits[17] += 0.25f;
    }

    @Override
    public HeadMode mode() {
        return right.mode();
    }

    @Override
    public long bytes() {
        return right.bytes();
    }

    @Override
    public long bytesRead(int rows) {
        return right.bytesRead(rows);
    }

    @Override
    public TiedWeightStats stats() {
        return right.stats();
    }

    @Override
    public boolean quantised() {
        return right.quantised();
    }

    @Override
    public long derivedBytes() {
        return right.derivedBytes();
    }

    @Override
    public void close() {
        right.close();
    }
}
