package dev.tidestream.server.admin.store.open;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.tidestream.console.Printable;
import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.admin.Refusals;
import dev.tidestream.server.admin.store.directory.Storage;

/**
 * The transactions that are open, and their parts; see {@link OpenFiles} for what is on disk. What was acknowledged is there after a crash;
 * a part that was not complete is not. Any thread that may block on the disk; one change of names at a time.
 */
public final class OpenTransactions {
    private static final Logger log = LoggerFactory.getLogger(OpenTransactions.class);

    private static final int MAX_SHOWN_CHARS = 128;

    private final Storage storage;
    private final OpenFiles files;
    private final OpenLimits limits;
    private final InstantSource clock;
    private final Map<String, OpenTransaction> open; // by update_id
    private final Set<PartSpool> receiving = new HashSet<>();

    /**
     * Finds what is on disk.
     *
     * @param isCommitted whether an update of this name is a version: what is left of it is removed
     */
    public OpenTransactions(Storage storage, OpenLimits limits, InstantSource clock, Predicate<String> isCommitted) throws IOException {
        this.storage = storage;
        this.files = new OpenFiles(storage);
        this.limits = limits;
        this.clock = clock;
        this.open = files.read();
        for (OpenTransaction transaction : List.copyOf(open.values())) {
            transaction.lastUse = clock.instant(); // when parts came is not kept
            if (isCommitted.test(transaction.request.updateId())) {
                open.remove(transaction.request.updateId());
                files.remove(transaction);
            }
        }
    }

    /**
     * What there is of a transaction.
     *
     * @param parts in order
     */
    public record State(OpenRequest request, Instant openedAt, List<OpenPart> parts) {
        /** SHA-256 of a line for each part, in order: its number, a space, its SHA-256, a line feed. */
        public String manifestSha256() {
            return OpenTransaction.manifestSha256(parts);
        }
    }

    private static State state(OpenTransaction transaction) {
        return new State(transaction.request, transaction.openedAt, transaction.inOrder());
    }

    /** The transaction of a name, if it is open. */
    public synchronized Optional<State> find(String updateId) {
        return Optional.ofNullable(open.get(updateId)).map(OpenTransactions::state);
    }

    /** All that are open. */
    public synchronized List<State> all() {
        return open.values().stream().map(OpenTransactions::state).toList();
    }

    /**
     * Opens a transaction, or finds it open; durable when this returns.
     *
     * @throws AdminException {@code update_conflict} if one of this name is open for something else, {@code busy}, {@code disk_full},
     *     {@code internal}
     */
    public synchronized State open(OpenRequest request) throws AdminException {
        OpenTransaction known = open.get(request.updateId());
        if (known != null) {
            if (!known.request.equals(request)) {
                throw new AdminException(AdminErrorCode.UPDATE_CONFLICT, "update_id '%s' is open for something else: open=%s, sent=%s"
                        .formatted(request.updateId(), known.request, request));
            }
            return state(known);
        }
        sweep();
        if (open.size() >= limits.maxOpen()) {
            throw new AdminException(AdminErrorCode.BUSY, "too many transactions are open: open=%s, limit=%d"
                    .formatted(open.keySet(), limits.maxOpen()));
        }
        OpenTransaction transaction = new OpenTransaction(request, clock.instant());
        try {
            files.write(transaction);
        } catch (IOException e) {
            throw Refusals.ofIo("transaction " + request.updateId(), e);
        }
        open.put(request.updateId(), transaction);
        return state(transaction);
    }

    /**
     * Begins to receive a part.
     *
     * @return nothing if the very same part is there already
     * @throws AdminException {@code unknown_update}, {@code busy} while it is committed, {@code too_many_bytes}, {@code invalid_value},
     *     {@code disk_full}, {@code internal}
     */
    public synchronized Optional<PartSpool> receive(String updateId, int number, String sha256, long byteLength) throws AdminException {
        OpenTransaction transaction = require(updateId);
        OpenPart known = transaction.parts.get(number);
        if (known != null && known.sha256().equals(sha256) && known.bytes() == byteLength) {
            return Optional.empty();
        }
        requireRoom(transaction, number, byteLength);
        try {
            if (byteLength > storage.usableBytes()) {
                throw new AdminException(AdminErrorCode.DISK_FULL,
                        "disk too full: bytes=%d, usable_bytes=%d".formatted(byteLength, storage.usableBytes()));
            }
            PartSpool spool = new PartSpool(this, updateId, number, sha256, byteLength, storage, files.temporary(updateId));
            receiving.add(spool);
            transaction.lastUse = clock.instant();
            return Optional.of(spool);
        } catch (IOException e) {
            throw Refusals.ofIo("part %d of %s".formatted(number, updateId), e);
        }
    }

    private OpenTransaction require(String updateId) throws AdminException {
        OpenTransaction transaction = open.get(updateId);
        if (transaction == null) {
            throw new AdminException(AdminErrorCode.UNKNOWN_UPDATE, "no transaction of this name is open: update_id=" + updateId);
        }
        if (transaction.committing) {
            throw new AdminException(AdminErrorCode.BUSY, "the transaction is being committed: update_id=" + updateId);
        }
        return transaction;
    }

    private void requireRoom(OpenTransaction transaction, int number, long byteLength) throws AdminException {
        if (byteLength > limits.maxPartBytes()) {
            throw new AdminException(AdminErrorCode.TOO_MANY_BYTES,
                    "part too large: part=%d, bytes=%d, limit=%d".formatted(number, byteLength, limits.maxPartBytes()));
        }
        if (number < 0 || (transaction.parts.size() >= limits.maxParts() && !transaction.parts.containsKey(number))) {
            throw new AdminException(AdminErrorCode.INVALID_VALUE,
                    "a transaction has parts 0 and up, so many at most: part=%d, parts=%d, limit=%d"
                            .formatted(number, transaction.parts.size(), limits.maxParts()));
        }
        long held = open.values().stream().flatMap(one -> one.parts.values().stream()).mapToLong(OpenPart::bytes).sum()
                + receiving.stream().mapToLong(PartSpool::byteLength).sum();
        if (byteLength > limits.maxBytes() - held) {
            throw new AdminException(AdminErrorCode.TOO_MANY_BYTES,
                    "parts would take too many bytes: bytes=%d, held_bytes=%d, limit=%d".formatted(byteLength, held, limits.maxBytes()));
        }
    }

    /** Makes a complete part one of its transaction. */
    synchronized void install(PartSpool spool) throws IOException, AdminException {
        OpenTransaction transaction = require(spool.updateId());
        String name = files.part(spool.updateId(), spool.number(), spool.sha256());
        storage.rename(spool.temporary(), name);
        storage.force();
        OpenPart before = transaction.parts.put(
                spool.number(), new OpenPart(spool.number(), spool.sha256(), spool.byteLength(), name));
        transaction.lastUse = clock.instant();
        if (before != null) {
            storage.delete(before.fileName());
        }
    }

    synchronized void released(PartSpool spool) {
        receiving.remove(spool);
    }

    /** Where a part is. */
    public Path path(OpenPart part) {
        return storage.path(part.fileName());
    }

    /**
     * Its parts stay as they are until {@link #committed} or {@link #notCommitted}.
     *
     * @throws AdminException {@code unknown_update}, {@code busy}
     */
    public synchronized State committing(String updateId) throws AdminException {
        OpenTransaction transaction = require(updateId);
        transaction.committing = true;
        return state(transaction);
    }

    /** It was refused, and stays open. */
    public synchronized void notCommitted(String updateId) {
        OpenTransaction transaction = open.get(updateId);
        if (transaction != null) {
            transaction.committing = false;
        }
    }

    /** It is a version. What cannot be removed now is at the next start. */
    public synchronized void committed(String updateId) {
        OpenTransaction transaction = open.remove(updateId);
        if (transaction != null) {
            remove(transaction);
        }
    }

    private void remove(OpenTransaction transaction) {
        try {
            files.remove(transaction);
        } catch (IOException e) {
            log.warn("files of a transaction could not be removed, the next start will: update_id={}", transaction.request.updateId(), e);
        }
    }

    /**
     * Gives one up.
     *
     * @throws AdminException {@code unknown_update}, {@code busy}
     */
    public synchronized void abort(String updateId) throws AdminException {
        OpenTransaction transaction = require(updateId);
        open.remove(updateId);
        remove(transaction);
    }

    /** Gives up what has been open for too long. */
    public synchronized void sweep() {
        Instant before = clock.instant().minus(limits.maxAge());
        for (OpenTransaction transaction : List.copyOf(open.values())) {
            String id = transaction.request.updateId();
            if (!transaction.committing && transaction.lastUse.isBefore(before)
                    && receiving.stream().noneMatch(spool -> spool.updateId().equals(id))) {
                open.remove(id);
                remove(transaction);
                log.info("gave up an open update, for nothing has come of it for so long: update_id={}, limit_s={}",
                        Printable.value(id, MAX_SHOWN_CHARS), limits.maxAge().toSeconds());
            }
        }
    }
}
