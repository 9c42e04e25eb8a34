package dev.tidestream.model.transformer;

import java.lang.foreign.Arena;

import dev.tidestream.model.tensor.WeightTensor;

/**
 * A tensor and the right to free it.
 *
 * @param free gives its memory back, once
 */
public record OwnedTensor(WeightTensor tensor, Runnable free) implements AutoCloseable {

    /** A tensor whose memory is all of an arena. */
    public static OwnedTensor of(WeightTensor tensor, Arena arena) {
        return new OwnedTensor(tensor, arena::close);
    }

    @Override
    public void close() {
        free.run();
    }
}
