package dev.tidestream.server.admin.service;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

import dev.tidestream.model.adapter.Adapter;
import dev.tidestream.model.adapter.MatrixChange;
import dev.tidestream.model.architecture.TensorNames;
import dev.tidestream.model.architecture.TensorRole;
import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.server.adapters.AdapterLease;
import dev.tidestream.server.adapters.AdapterRegistry;
import dev.tidestream.server.admin.AdaptersDesk;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.admin.UpdatesDesk;
import dev.tidestream.server.admin.UpdatesDesk.Committed;
import dev.tidestream.server.admin.UpdatesDesk.PartUpload;
import dev.tidestream.server.admin.UpdatesDesk.Tied;
import dev.tidestream.server.admin.store.directory.Sha256;
import dev.tidestream.server.epoch.CurrentEpoch;
import dev.tidestream.server.epoch.Lease;

/**
 * Makes a version with an adapter in it: one update of all its changes, sent to the desk of updates as any sender would, so what is true
 * of those is true of it. Low-rank changes stay low-rank ones in the payload.
 *
 * <p>Where the base ties head and embedding and the adapter changes both alike, the one matrix is changed; where it changes one of them, or
 * each in another way, they become two. An adapter computes beside the base in float32, a version has sums that are rounded to the
 * formats of its matrices: so logits are close, not equal.
 */
public final class AdapterMerge implements AdaptersDesk {
    private final AdapterRegistry adapters;
    private final CurrentEpoch epochs;
    private final UpdatesDesk updates;

    /** @param updates where the changes are sent */
    public AdapterMerge(AdapterRegistry adapters, CurrentEpoch epochs, UpdatesDesk updates) {
        this.adapters = adapters;
        this.epochs = epochs;
        this.updates = updates;
    }

    @Override
    public Committed merge(String name, Merging merging) throws AdminException {
        Optional<AdapterLease> lease = adapters.find(name).flatMap(served -> served.lease());
        if (lease.isEmpty()) {
            if (isCommitted(merging.updateId())) {
                return updates.commit(merging.updateId(), OptionalInt.empty(), Optional.empty()); // and was unloaded since
            }
            throw new AdminException(AdminErrorCode.UNKNOWN_ADAPTER, "no adapter of this name is served: name=" + name);
        }
        try (AdapterLease held = lease.get(); Lease epoch = epochs.lease()) {
            return merge(name, held.adapter(), epoch.epoch().loaded(), merging);
        }
    }

    private boolean isCommitted(String updateId) throws AdminException {
        try {
            return updates.find(updateId).version().isPresent();
        } catch (AdminException e) {
            if (e.code() == AdminErrorCode.UNKNOWN_UPDATE) {
                return false;
            }
            throw e;
        }
    }

    private Committed merge(String name, Adapter adapter, LoadedModel model, Merging merging) throws AdminException {
        boolean alike = !model.blueprint().tied() || adapter.changesBothEndsAlike();
        if (!alike && model.outputName().isEmpty()) {
            throw new AdminException(AdminErrorCode.INVALID_ADAPTER, ("models of architecture %s have no output head of their own, and the"
                    + " adapter would make it another matrix than the embedding: name=%s").formatted(model.blueprint().architecture(), name));
        }
        AdapterPart part = new AdapterPart(changes(adapter, model), change -> tensor(model, change));
        String label = merging.label().isEmpty() ? "adapter " + name : merging.label();
        Tied tied = alike ? Tied.KEEP : Tied.SEPARATE;
        UpdatesDesk.Opened opened = updates.open(
                new UpdatesDesk.Opening(merging.updateId(), merging.baseVersion(), label, Optional.of(tied)));
        MessageDigest digest = Sha256.digest();
        part.writeTo(digest::update);
        String sha256 = Sha256.hex(digest);
        String manifest = Sha256.of("0 %s\n".formatted(sha256).getBytes(StandardCharsets.UTF_8));
        boolean committed = false;
        try {
            if (opened.state().version().isEmpty()) {
                send(merging.updateId(), part, sha256);
            }
            Committed done = updates.commit(merging.updateId(), OptionalInt.of(1), Optional.of(manifest));
            committed = true;
            return done;
        } finally {
            if (!committed && opened.isNew() && !isCommitted(merging.updateId())) {
                updates.abort(merging.updateId()); // it is one request to whoever asked: nothing is left open of one that failed
            }
        }
    }

    /** Of a tied model whose matrix stays one, what the adapter says of it once. */
    private static List<MatrixChange> changes(Adapter adapter, LoadedModel model) {
        List<MatrixChange> changes = new ArrayList<>(adapter.matrixChanges(model.blueprint()));
        if (model.blueprint().tied() && adapter.changesBothEndsAlike()) {
            changes.removeIf(change -> change.role() == TensorRole.OUTPUT);
        }
        return changes;
    }

    private static String tensor(LoadedModel model, MatrixChange change) {
        TensorNames names = model.plan().names();
        return change.layer() == MatrixChange.NO_LAYER ? names.weight(change.role()) : names.weight(change.role(), change.layer());
    }

    private void send(String updateId, AdapterPart part, String sha256) throws AdminException {
        Optional<PartUpload> upload = updates.receive(updateId, 0, sha256, part.bytes());
        if (upload.isEmpty()) {
            return; // it is there
        }
        try (PartUpload out = upload.get()) {
            part.writeTo(out::accept);
            out.finish();
        }
    }
}
