package dev.tidestream.server.admin;

import dev.tidestream.model.tied.HeadMode;
import dev.tidestream.protocol.admin.OptimizationMode;

/** Modes of the head as model and protocol have them. */
public final class HeadModes {
    private HeadModes() {}

    /** As the model has it. */
    public static HeadMode of(OptimizationMode mode) {
        return switch (mode) {
            case TRANSPOSE_PER_STEP -> HeadMode.TRANSPOSE_PER_STEP;
            case CACHED_TRANSPOSE -> HeadMode.CACHED_TRANSPOSE;
            case PACKED -> HeadMode.PACKED;
        };
    }

    /** As the protocol has it. */
    public static OptimizationMode of(HeadMode mode) {
        return switch (mode) {
            case TRANSPOSE_PER_STEP -> OptimizationMode.TRANSPOSE_PER_STEP;
            case CACHED_TRANSPOSE -> OptimizationMode.CACHED_TRANSPOSE;
            case PACKED -> OptimizationMode.PACKED;
        };
    }
}
