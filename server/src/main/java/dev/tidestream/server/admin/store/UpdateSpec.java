package dev.tidestream.server.admin.store;

import java.util.List;

import dev.tidestream.protocol.admin.PayloadType;
import dev.tidestream.protocol.admin.UpdateKind;

/**
 * What an update is, without its payload: two updates with equal specs are the same update.
 *
 * @param updateId the sender's name of the update, unique among all committed ones
 * @param baseVersion the weights version it changes; must be the current one when it is committed
 * @param tensor GGUF name
 * @param shape see {@link UpdateKind}
 * @param rank of {@link UpdateKind#LOW_RANK}; otherwise 0
 * @param sha256 of the payload, 64 lower-case hexadecimal digits
 * @param byteLength of the payload
 */
public record UpdateSpec(
        String updateId,
        long baseVersion,
        String tensor,
        UpdateKind kind,
        List<Long> shape,
        PayloadType dtype,
        int rank,
        String sha256,
        long byteLength) {

    public UpdateSpec {
        shape = List.copyOf(shape);
    }
}
