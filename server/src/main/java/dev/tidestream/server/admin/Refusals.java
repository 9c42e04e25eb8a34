package dev.tidestream.server.admin;

import java.io.IOException;
import java.util.Locale;
import java.util.Optional;

import dev.tidestream.console.Reasons;
import dev.tidestream.model.tensor.WeightTensor;
import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.protocol.admin.AdminErrorCode;

/** From what the system reports to what a client is told. */
public final class Refusals {
    private Refusals() {}

    /** {@code disk_full} if the message of the error says so (Java has no type for it), otherwise {@code internal}. */
    public static AdminException ofIo(String what, IOException e) {
        String reason = String.valueOf(e.getMessage()).toLowerCase(Locale.ROOT);
        boolean full = reason.contains("no space left") || reason.contains("quota exceeded") || reason.contains("not enough space")
                || reason.contains("file too large");
        return full
                ? new AdminException(AdminErrorCode.DISK_FULL, what + ": disk full", e)
                : new AdminException(AdminErrorCode.INTERNAL, what + ": cannot write: " + Reasons.of(e), e);
    }

    /**
     * A tensor that a request names.
     *
     * @throws AdminException {@code unknown_tensor} if the model has none of this name
     */
    public static WeightTensor tensor(LoadedModel model, String name) throws AdminException {
        Optional<WeightTensor> tensor = model.tensor(name);
        if (tensor.isEmpty()) {
            throw new AdminException(AdminErrorCode.UNKNOWN_TENSOR, "the model has no such tensor: tensor=" + name
                    + model.tiedTo(name).map(" (its output head is tied to %s: an update of that changes both)"::formatted).orElse(""));
        }
        return tensor.get();
    }
}
