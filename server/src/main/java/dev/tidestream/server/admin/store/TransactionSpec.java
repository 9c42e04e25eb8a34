package dev.tidestream.server.admin.store;

import java.util.List;

/**
 * What a committed transaction is, without its payload.
 *
 * @param updateId the sender's name of it, unique among all committed updates
 * @param baseVersion the weights version that it has changed
 * @param label the sender's words for the version; may be empty
 * @param requestSha256 of what was asked for and of all parts, in order: the same transaction has the same
 * @param changes in the order of their application; their stretches fill the payload
 * @param sha256 of the payload
 * @param byteLength of the payload; 0 if the output head became a matrix of its own, and nothing else
 */
public record TransactionSpec(
        String updateId, long baseVersion, String label, String requestSha256, List<TensorChange> changes, String sha256, long byteLength) {

    public TransactionSpec {
        changes = List.copyOf(changes);
    }
}
