package dev.tidestream.server.admin.service;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;

import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.protocol.admin.AdminReply;
import dev.tidestream.protocol.admin.AdminRequest;
import dev.tidestream.protocol.admin.UpdateResult;
import dev.tidestream.server.admin.AdminDesk;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.admin.UpdatesDesk;

/**
 * Updates of many tensors over the admin channel: the same desk, transactions and codes as over HTTP. Whatever is not about them, another
 * desk does.
 */
public final class TransactionDesk implements AdminDesk {
    private final AdminDesk rest;
    private final @Nullable UpdatesDesk updates;
    private final LongSupplier weightsVersion;

    /**
     * @param updates who takes them; null without a data directory
     * @param weightsVersion the current one
     */
    public TransactionDesk(AdminDesk rest, @Nullable UpdatesDesk updates, LongSupplier weightsVersion) {
        this.rest = rest;
        this.updates = updates;
        this.weightsVersion = weightsVersion;
    }

    private UpdatesDesk updates() throws AdminException {
        if (updates == null) {
            throw new AdminException(AdminErrorCode.NO_DATA_DIR,
                    "the server keeps no versions, so it takes no updates: start it with --data-dir DIR");
        }
        return updates;
    }

    @Override
    public AdminReply.Ack handle(AdminRequest request, ProgressSink progress) throws AdminException {
        return request instanceof AdminRequest.OfUpdates ours ? ack(ours, result(ours)) : rest.handle(request, progress);
    }

    private AdminReply.Ack ack(AdminRequest.OfUpdates request, UpdateResult result) {
        return new AdminReply.Ack(request.ref(), weightsVersion.getAsLong(), result);
    }

    private UpdateResult result(AdminRequest.OfUpdates request) throws AdminException {
        String id = request.updateId();
        return switch (request) {
            case AdminRequest.OpenUpdate open -> state(updates().open(new UpdatesDesk.Opening(id, open.baseVersion(), open.label(),
                    open.tied().map(tied -> UpdatesDesk.Tied.valueOf(tied.toUpperCase(Locale.ROOT))), open.hold())).state());
            case AdminRequest.UpdateState _ -> state(updates().find(id));
            case AdminRequest.CommitUpdate commit -> {
                UpdatesDesk.Committed done = updates().commit(id, commit.parts(), commit.manifestSha256());
                yield new UpdateResult.Committed(id, done.version(), done.label(), done.bytes(), done.changed(), done.repeated(),
                        done.held());
            }
            case AdminRequest.AbortUpdate _ -> {
                UpdatesDesk.UpdateState before = updates().find(id);
                updates().abort(id);
                yield new UpdateResult.State(id, "aborted", before.baseVersion(), before.label(), before.version(), List.of(), List.of());
            }
            case AdminRequest.UpdatePart part -> throw new IllegalArgumentException("its bytes come in frames: part=" + part.part());
        };
    }

    private UpdateResult.State state(UpdatesDesk.UpdateState state) throws AdminException {
        String word = state.version().isPresent() ? "committed" : "open";
        return new UpdateResult.State(state.updateId(), word, state.baseVersion(), state.label(), state.version(),
                state.parts().stream().map(part -> new UpdateResult.Part(part.number(), part.sha256(), part.bytes())).toList(),
                updates().begun(state.updateId()).stream()
                        .map(part -> new UpdateResult.Begun(part.number(), part.sha256(), part.bytes(), part.received())).toList());
    }

    @Override
    public UpdateStart begin(AdminRequest.WithFrames update, ProgressSink progress) throws AdminException {
        if (!(update instanceof AdminRequest.UpdatePart part)) {
            return rest.begin(update, progress);
        }
        Optional<UpdatesDesk.PartUpload> upload =
                updates().resume(part.updateId(), part.part(), part.sha256(), part.byteLength(), part.offset());
        return upload.isEmpty() ? new UpdateStart.Repeated(ack(part, state(updates().find(part.updateId()))))
                : new UpdateStart.Receiving(new Receiving(part, upload.get()));
    }

    /** A part that comes over the channel. */
    private final class Receiving implements Upload {
        private final AdminRequest.UpdatePart part;
        private final UpdatesDesk.PartUpload upload;

        Receiving(AdminRequest.UpdatePart part, UpdatesDesk.PartUpload upload) {
            this.part = part;
            this.upload = upload;
        }

        @Override
        public void accept(ByteBuffer chunk) throws AdminException {
            upload.accept(chunk);
        }

        @Override
        public AdminReply.Ack finish(ProgressSink progress) throws AdminException {
            upload.finish();
            return ack(part, state(updates().find(part.updateId())));
        }

        @Override
        public void giveUp(AdminErrorCode why) {
            // what has come is kept, and counts as no refusal
        }

        @Override
        public void close() {
            upload.close();
        }
    }

    @Override
    public void maintain(BooleanSupplier givenUp) {
        rest.maintain(givenUp);
    }
}
