package dev.tidestream.server.epoch;

import dev.tidestream.model.transformer.LoadedModel;

/**
 * The memory of an epoch whose weights are a version of its own.
 *
 * @param version closed with the epoch
 */
public record OwnedModel(LoadedModel version) implements EpochMemory {

    @Override
    public void free() {
        version.close();
    }

    @Override
    public long bytes() {
        return version.bytes();
    }

    @Override
    public long ownBytes() {
        return version.ownBytes();
    }
}
