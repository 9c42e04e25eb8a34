package dev.tidestream.server.cluster.log;

import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.function.Supplier;

import dev.tidestream.console.Reasons;
import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.server.cluster.blob.BlobCopies;

/**
 * From a manifest to its version: copies of its blobs on a majority of the keepers first, then the log. An entry whose blobs a minority
 * has never comes to be, so that what is committed can be built after the loss of any minority. Any thread.
 */
final class Proposals {
    private final KeeperConfig config;
    private final BlobCopies copies;
    private final Supplier<List<Keeper>> members;
    private final Submit submit;
    private final Semaphore pending;

    /** Brings a command into the log. */
    interface Submit {
        /** @return the answer of the state machine; fails if there is none */
        CompletableFuture<byte[]> submit(byte[] command);
    }

    /** @param members voting ones, as far as this node knows */
    Proposals(KeeperConfig config, BlobCopies copies, Supplier<List<Keeper>> members, Submit submit) {
        this.config = config;
        this.copies = copies;
        this.members = members;
        this.submit = submit;
        pending = new Semaphore(config.limits().maxPending());
    }

    CompletionStage<Committed> propose(Manifest manifest) {
        byte[] command = LogJson.bytes(new LogCommand.Propose(manifest));
        int limit = config.limits().maxManifestBytes();
        if (command.length > limit) {
            return CompletableFuture.failedFuture(new LogRefusedException(AdminErrorCode.INVALID_VALUE,
                    "manifest is too long for the log: update_id=%s, bytes=%d, limit=%d"
                            .formatted(manifest.updateId(), command.length, limit)));
        }
        String what = "update " + manifest.updateId();
        return run(what, () -> copy(manifest).thenCompose(_ -> submit.submit(command)), answer -> switch (answer) {
            case LogAnswer.Accepted(Committed committed) -> committed;
            case LogAnswer.Published _ -> throw new IllegalStateException("the log has answered something else: " + what);
            case LogAnswer.Refused(AdminErrorCode code, String message) -> throw new LogRefusedException(code, message);
        });
    }

    CompletionStage<Long> publish(long version) {
        byte[] command = LogJson.bytes(new LogCommand.Publish(version));
        return run("publishing version " + version, () -> submit.submit(command), answer -> switch (answer) {
            case LogAnswer.Published(long published) -> published;
            case LogAnswer.Accepted _ -> throw new IllegalStateException("the log has answered something else: version=" + version);
            case LogAnswer.Refused(AdminErrorCode code, String message) -> throw new LogRefusedException(code, message);
        });
    }

    /** On a majority of the members; this node counts if it is one. */
    private CompletableFuture<Void> copy(Manifest manifest) {
        List<Keeper> keepers = members.get();
        if (keepers.isEmpty()) {
            return CompletableFuture.failedFuture(new LogRefusedException(AdminErrorCode.NO_QUORUM, "this node knows no keepers yet"));
        }
        List<URI> others = keepers.stream().filter(keeper -> !keeper.id().equals(config.nodeId())).map(Keeper::http).toList();
        int needed = keepers.size() / 2 + 1 - (keepers.size() - others.size());
        return copies.copy(manifest.parts().stream().map(Manifest.Part::sha256).toList(), others, needed);
    }

    private <T> CompletionStage<T> run(String what, Supplier<CompletableFuture<byte[]>> work, Function<LogAnswer, T> result) {
        if (!pending.tryAcquire()) {
            return CompletableFuture.failedFuture(new LogRefusedException(AdminErrorCode.BUSY,
                    "too many changes wait for the log: %s, limit=%d".formatted(what, config.limits().maxPending())));
        }
        Duration limit = config.timing().proposal();
        return work.get().orTimeout(limit.toMillis(), TimeUnit.MILLISECONDS)
                .thenApply(bytes -> result.apply(LogJson.answer(bytes)))
                .handle((done, failure) -> {
                    pending.release();
                    if (failure == null) {
                        return done;
                    }
                    throw new CompletionException(refusal(what, failure, limit));
                });
    }

    private static LogRefusedException refusal(String what, Throwable failure, Duration limit) {
        Throwable cause = failure;
        while (cause instanceof CompletionException && cause.getCause() != null) {
            cause = cause.getCause();
        }
        if (cause instanceof LogRefusedException refused) {
            return refused;
        }
        String reason = cause instanceof TimeoutException ? "no answer within %d s".formatted(limit.toSeconds()) : Reasons.of(cause);
        return new LogRefusedException(AdminErrorCode.NO_QUORUM,
                "no majority of keepers has agreed, and it may still do so; send it again: %s, reason=%s".formatted(what, reason), cause);
    }
}
