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

    /** Parts of an open transaction that have not come to their end, and that may be gone on with. */
    public synchronized List<OpenHalf> halves(String updateId) {
        OpenTransaction transaction = open.get(updateId);
        return transaction == null ? List.of() : transaction.halves.values().stream()
                .map(half -> coming(updateId, half.number()).map(PartSpool::part).orElse(half)).toList();
    }

    /** One that may be gone on with, and is being received. */
    private Optional<PartSpool> coming(String updateId, int number) {
        return receiving.stream()
                .filter(spool -> spool.kept() && spool.part().number() == number && spool.updateId().equals(updateId)).findFirst();
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
        if (isThere(transaction, number, sha256, byteLength)) {
            return Optional.empty();
        }
        requireRoom(transaction, number, byteLength, 0);
        return Optional.of(spool(transaction, new OpenHalf(number, sha256, byteLength, 0, files.temporary(updateId)), false));
    }

    private static boolean isThere(OpenTransaction transaction, int number, String sha256, long byteLength) {
        OpenPart known = transaction.parts.get(number);
        return known != null && known.sha256().equals(sha256) && known.bytes() == byteLength;
    }

    private PartSpool spool(OpenTransaction transaction, OpenHalf part, boolean kept) throws AdminException {
        try {
            if (part.bytes() - part.received() > storage.usableBytes()) {
                throw new AdminException(AdminErrorCode.DISK_FULL, "disk too full: bytes=%d, usable_bytes=%d"
                        .formatted(part.bytes() - part.received(), storage.usableBytes()));
            }
            PartSpool spool = new PartSpool(this, transaction.request.updateId(), part, kept, storage);
            receiving.add(spool);
            transaction.lastUse = clock.instant();
            return spool;
        } catch (IOException e) {
            throw Refusals.ofIo("part %d of %s".formatted(part.number(), transaction.request.updateId()), e);
        }
    }

    /**
     * Begins to receive a part, or goes on with one; what comes of it is kept until the transaction ends.
     *
     * @param offset where the bytes begin that are to come; what is there behind it is forgotten
     * @return nothing if the very same part is there already; else {@link PartSpool#takeUp} is to be called first
     * @throws AdminException as {@link #receive}; {@code invalid_value} if not so many bytes are there, {@code busy} while another
     *     takes it
     */
    public synchronized Optional<PartSpool> resume(String updateId, int number, String sha256, long byteLength, long offset)
            throws AdminException {
        OpenTransaction transaction = require(updateId);
        if (isThere(transaction, number, sha256, byteLength)) {
            return Optional.empty();
        }
        if (coming(updateId, number).isPresent()) {
            throw new AdminException(AdminErrorCode.BUSY, "the part is being received: update_id=%s, part=%d".formatted(updateId, number));
        }
        OpenHalf half = transaction.halves.get(number);
        boolean same = half != null && half.sha256().equals(sha256) && half.bytes() == byteLength;
        long received = half != null && same ? half.received() : 0;
        if (offset > received) {
            throw new AdminException(AdminErrorCode.INVALID_VALUE, "offset must not be beyond what has come: part=%d, offset=%d, received=%d"
                    .formatted(number, offset, received));
        }
        requireRoom(transaction, number, byteLength, half == null ? 0 : half.bytes());
        if (half != null && !same) {
            removeHalf(transaction, half);
        }
        OpenHalf begun = new OpenHalf(number, sha256, byteLength, offset, files.half(updateId, number, byteLength, sha256));
        PartSpool spool = spool(transaction, begun, true);
        transaction.halves.put(number, begun);
        return Optional.of(spool);
    }

    private void removeHalf(OpenTransaction transaction, OpenHalf half) throws AdminException {
        try {
            storage.delete(half.fileName());
            transaction.halves.remove(half.number());
        } catch (IOException e) {
            throw Refusals.ofIo("part %d of %s".formatted(half.number(), transaction.request.updateId()), e);
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

    /** @param counted bytes of it that are among those held already */
    private void requireRoom(OpenTransaction transaction, int number, long byteLength, long counted) throws AdminException {
        if (byteLength > limits.maxPartBytes()) {
            throw new AdminException(AdminErrorCode.TOO_MANY_BYTES,
                    "part too large: part=%d, bytes=%d, limit=%d".formatted(number, byteLength, limits.maxPartBytes()));
        }
        if (number < 0 || (transaction.numbers() >= limits.maxParts() && !transaction.has(number))) {
            throw new AdminException(AdminErrorCode.INVALID_VALUE,
                    "a transaction has parts 0 and up, so many at most: part=%d, parts=%d, limit=%d"
                            .formatted(number, transaction.numbers(), limits.maxParts()));
        }
        long held = open.values().stream().mapToLong(OpenTransaction::bytes).sum() - counted
                + receiving.stream().filter(spool -> !spool.kept()).mapToLong(PartSpool::byteLength).sum();
        if (byteLength > limits.maxBytes() - held) {
            throw new AdminException(AdminErrorCode.TOO_MANY_BYTES,
                    "parts would take too many bytes: bytes=%d, held_bytes=%d, limit=%d".formatted(byteLength, held, limits.maxBytes()));
        }
    }

    /** Makes a complete part one of its transaction. */
    synchronized void install(PartSpool spool) throws IOException, AdminException {
        OpenTransaction transaction = require(spool.updateId());
        OpenHalf part = spool.part();
        String name = files.part(spool.updateId(), part.number(), part.sha256());
        storage.rename(part.fileName(), name);
        storage.force();
        OpenPart before = transaction.parts.put(part.number(), new OpenPart(part.number(), part.sha256(), part.bytes(), name));
        transaction.lastUse = clock.instant();
        if (spool.kept()) {
            transaction.halves.remove(part.number());
        }
        if (before != null) {
            storage.delete(before.fileName());
        }
    }

    /** @param gaveUp it has not come to its end; if it is kept, it may be gone on with */
    synchronized void released(PartSpool spool, boolean gaveUp) {
        receiving.remove(spool);
        OpenTransaction transaction = open.get(spool.updateId());
        OpenHalf part = spool.part();
        OpenHalf known = transaction == null ? null : transaction.halves.get(part.number());
        if (transaction == null || known == null || !gaveUp || !known.fileName().equals(part.fileName())) {
            return; // it is a part, or of a transaction that has ended, or was never to be kept
        }
        if (spool.wrong()) {
            transaction.halves.remove(part.number());
        } else {
            transaction.halves.put(part.number(), part);
        }
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
     * Gives one another label; durable when this returns.
     *
     * @throws AdminException {@code unknown_update}, {@code busy}, {@code disk_full}, {@code internal}
     */
    public synchronized void label(String updateId, String label) throws AdminException {
        OpenTransaction transaction = require(updateId);
        OpenRequest before = transaction.request;
        transaction.request = new OpenRequest(updateId, before.baseVersion(), label, before.tied());
        boolean done = false;
        try {
            files.write(transaction);
            done = true;
        } catch (IOException e) {
            throw Refusals.ofIo("transaction " + updateId, e);
        } finally {
            if (!done) {
                transaction.request = before;
            }
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
