package dev.tidestream.server.admin.service;

import java.util.List;
import java.util.Locale;

import dev.tidestream.model.patch.PatchResult;
import dev.tidestream.model.patch.RequantisationError;
import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.protocol.admin.AdminRequest;
import dev.tidestream.protocol.admin.AdminResult;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.admin.Refusals;
import dev.tidestream.server.admin.store.UpdateSpec;

/** Requests of updates as the store knows them, and whether they fit a model. */
final class UpdateRequests {
    private UpdateRequests() {}

    /** What an announced update is, whichever way its payload comes. */
    static UpdateSpec spec(AdminRequest.WeightsUpdate u) {
        return new UpdateSpec(u.updateId(), u.baseVersion(), u.tensor(), u.kind(), u.shape(), u.dtype(),
                u.rank().orElse(0), u.sha256(), u.byteLength());
    }

    /** What is said of an update that was applied. */
    static AdminResult.UpdateApplied applied(long version, PatchResult patch, AdminResult.BuildCost cost) {
        String format = patch.tensor().format().name().toLowerCase(Locale.ROOT);
        RequantisationError error = patch.error();
        return new AdminResult.UpdateApplied(version, patch.changedRows(), patch.changedBlocks(),
                new AdminResult.StorageError(format, error.maxAbs(), error.rms(), error.elements()), cost);
    }

    /**
     * Refuses what cannot be applied to the model, before its payload comes.
     *
     * @throws AdminException {@code unknown_tensor}, {@code invalid_shape}
     */
    static void requireFit(UpdateSpec spec, LoadedModel model) throws AdminException {
        List<Long> shape = Refusals.tensor(model, spec.tensor()).shape();
        boolean fits = switch (spec.kind()) {
            case REPLACE, DELTA -> spec.shape().equals(shape);
            case LOW_RANK -> spec.shape().equals(shape) && shape.size() == 2;
            case ROWS -> shape.size() == 2 && spec.shape().size() == 2
                    && spec.shape().getLast().equals(shape.getLast()) && spec.shape().getFirst() <= shape.getFirst();
        };
        if (!fits) {
            throw new AdminException(AdminErrorCode.INVALID_SHAPE, "shape does not fit: kind=%s, shape=%s, tensor=%s, tensor_shape=%s"
                    .formatted(spec.kind().wireName(), spec.shape(), spec.tensor(), shape));
        }
    }
}
