package dev.tidestream.server.admin.store;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BiFunction;
import java.util.function.Supplier;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.tidestream.console.Reasons;
import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.server.admin.AdminDesk;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.admin.Refusals;
import dev.tidestream.server.admin.store.directory.DataDirException;
import dev.tidestream.server.admin.store.directory.DataDirectory;
import dev.tidestream.server.admin.store.directory.DirectoryStorage;
import dev.tidestream.server.admin.store.directory.Storage;
import dev.tidestream.server.admin.store.open.OpenTransactions;

/**
 * The durable history of weight versions on top of one model file. A version exists when, and only when, the manifest on disk
 * names it, and the manifest changes in one atomic rename:
 *
 * <pre>
 * spool-1.tmp        chunks arrive, hashed          fsync
 * payload-2-….bin  ◄ rename                         fsync of the directory
 * manifest.json.tmp  old versions and the new one   fsync
 * manifest.json    ◄ rename                         fsync of the directory
 *                                                   acknowledged
 * </pre>
 *
 * <p>A crash before the last rename leaves files that no manifest names; {@link #open} removes them. A failed step is taken
 * back and refused, the state is the old one. One failure cannot be simply refused: after the last rename, if the directory
 * cannot be forced, the disk may hold either manifest. Then the old manifest is put back, and if that fails as well, the log
 * accepts nothing more until it is opened again, and keeps the payload that the disk may name. (After a failed fsync nothing is
 * known about the pages it was for: Rebello et al., "Can Applications Recover from fsync Failures?", USENIX ATC 2020. So no
 * fsync is ever tried twice on the same file.)
 *
 * <p>Versions count from {@link #BASE_VERSION}, the model file itself. Nothing is ever removed from the history: going back is a
 * version, too. One may be held: durable, and not served until it is published. Payloads of old ones may be pruned
 * ({@link RebuildSource#prune}). Any thread may read; changes are serialised, block on the disk, and belong on worker threads.
 */
public final class UpdateLog implements Closeable {
    /** The version that is the model file, without any update. */
    public static final long BASE_VERSION = 1;

    static final String MANIFEST = "manifest.json";
    static final String MANIFEST_TEMP = "manifest.json.tmp";
    static final String SPOOL_PREFIX = "spool-";
    private static final Logger log = LoggerFactory.getLogger(UpdateLog.class);

    private final Storage storage;
    private final UpdateLogLimits limits;
    private final InstantSource clock;
    private final ReentrantLock writing = new ReentrantLock();

    private final SpoolAccount spools = new SpoolAccount();
    private final RebuildSource rebuilds;
    private final ManifestFile file;
    private final OpenTransactions transactions;

    private long spoolNumber; // guarded by writing, as is all below
    private boolean closed;

    private UpdateLog(Storage storage, Manifest manifest, UpdateLogLimits limits, InstantSource clock) throws IOException {
        this.storage = storage;
        this.file = new ManifestFile(storage, manifest);
        this.rebuilds = new RebuildSource(storage, writing, file, this::requireUsable);
        this.limits = limits;
        this.clock = clock;
        this.transactions = new OpenTransactions(
                storage, limits.open(), clock, updateId -> VersionHistory.find(manifest, updateId).isPresent());
    }

    /**
     * Opens the directory, or makes it one, and removes what a crash has left. Reads every payload that is newer than the newest
     * checkpoint once, for its checksum; those before it when they are needed.
     *
     * @param baseSha256 of the model file
     * @throws DataDirException if it cannot be served from; nothing was changed then
     */
    public static UpdateLog open(Path dataDir, String baseSha256, UpdateLogLimits limits, InstantSource clock)
            throws DataDirException {
        return open(DirectoryStorage.open(dataDir), baseSha256, limits, clock);
    }

    /**
     * The same for a directory that is locked already. Takes it over, also if it fails.
     *
     * @param progress told of stage {@code checking}, in bytes of payloads
     */
    public static UpdateLog open(
            DataDirectory dataDir, String baseSha256, UpdateLogLimits limits, InstantSource clock, AdminDesk.ProgressSink progress)
            throws DataDirException {
        return open(dataDir.takeOver(), baseSha256, limits, clock, progress);
    }

    /** Takes over the storage, also if it fails. */
    public static UpdateLog open(Storage storage, String baseSha256, UpdateLogLimits limits, InstantSource clock) throws DataDirException {
        return open(storage, baseSha256, limits, clock, (stage, done, of) -> {});
    }

    private static UpdateLog open(
            Storage storage, String baseSha256, UpdateLogLimits limits, InstantSource clock, AdminDesk.ProgressSink progress)
            throws DataDirException {
        boolean opened = false;
        try {
            UpdateLog log = new UpdateLog(storage, new Recovery(storage, baseSha256).run(), limits, clock);
            log.rebuilds.open(progress);
            opened = true;
            return log;
        } catch (IOException e) {
            throw new DataDirException(DataDirException.Problem.IO, "%s: cannot be opened: %s".formatted(storage, Reasons.of(e)), e);
        } finally {
            if (!opened) {
                closeQuietly(storage);
            }
        }
    }

    private static void closeQuietly(Storage storage) {
        try {
            storage.close();
        } catch (IOException e) {
            log.warn("data directory could not be released: {}", storage, e);
        }
    }

    /** The version that is served: the newest that is not held. */
    public long currentVersion() {
        return VersionHistory.current(file.current());
    }

    /** The newest committed version, held or not. */
    public long newestVersion() {
        return VersionHistory.newest(file.current());
    }

    /** Versions that can be {@linkplain #publish published}, oldest first; immutable. */
    public SortedSet<Long> held() {
        return VersionHistory.held(file.current());
    }

    /** All committed versions, oldest first, without the base; immutable. */
    public List<VersionRecord> history() {
        return file.current().versions();
    }

    /** SHA-256 of the model file. */
    public String baseSha256() {
        return file.current().baseSha256();
    }

    /** Where the payload of a version is. */
    public Path payload(VersionRecord.WithPayload version) {
        return storage.path(version.payloadFile());
    }

    /**
     * The updates that, applied in this order to the model file, give a version. Those that a later replacement of the whole
     * tensor hides are left out.
     *
     * @throws AdminException {@code unknown_version}
     */
    public List<VersionRecord.WithPayload> replay(long version) throws AdminException {
        return VersionHistory.plan(file.current(), version, Set.of()).updates();
    }

    /** Transactions that are open. */
    public OpenTransactions transactions() {
        return transactions;
    }

    /** What versions are rebuilt from. */
    public RebuildSource rebuilds() {
        return rebuilds;
    }

    /**
     * The version that an earlier transmission of this very update has made, if any.
     *
     * @throws AdminException {@code update_conflict} if its {@code update_id} was used for something else
     */
    public Optional<VersionRecord.Updated> findRepeated(UpdateSpec spec) throws AdminException {
        return VersionHistory.findRepeated(file.current(), spec);
    }

    /**
     * Begins to receive the payload of an update that is no repetition as far as {@link #findRepeated} knew. What has changed since
     * then, and changes while the payload comes, {@link #admit} finds.
     *
     * @throws AdminException {@code stale_base_version}, {@code too_many_versions}, {@code too_many_bytes}, {@code disk_full},
     *     {@code busy}, {@code internal}
     */
    public PayloadSpool receive(UpdateSpec spec) throws AdminException {
        return begin(spec.updateId(), spec.baseVersion(), spec.byteLength(),
                (name, onClose) -> new PayloadSpool(storage, spec, name, onClose));
    }

    /** Begins to write the payload of a transaction, as {@link #receive}; {@code byteLength} is what it will have. */
    public TransactionPayload beginPayload(String updateId, long baseVersion, long byteLength) throws AdminException {
        return begin(updateId, baseVersion, byteLength, (name, onClose) -> new TransactionPayload(storage, updateId, name, onClose));
    }

    private interface NewFile<T> {
        T make(String name, Runnable onClose) throws IOException;
    }

    private <T> T begin(String updateId, long baseVersion, long byteLength, NewFile<T> newFile) throws AdminException {
        writing.lock();
        try {
            requireUsable();
            VersionHistory.requireBase(file.current(), baseVersion);
            limits.requireAnother(file.current().versions().size());
            limits.requireRoom(byteLength, VersionHistory.payloadBytes(file.current()), spools.count(), spools.bytes());
            UpdateLogLimits.requireDisk(byteLength, storage.usableBytes());
            T made = newFile.make(SPOOL_PREFIX + ++spoolNumber + ".tmp", () -> spools.remove(byteLength));
            spools.add(byteLength);
            return made;
        } catch (IOException e) {
            file.remove(SPOOL_PREFIX + spoolNumber + ".tmp");
            throw Refusals.ofIo("payload of " + updateId, e);
        } finally {
            writing.unlock();
        }
    }

    /** The version of an update's name, if it is committed. */
    public Optional<VersionRecord.WithPayload> find(String updateId) {
        return VersionHistory.find(file.current(), updateId);
    }

    private void requireUsable() throws AdminException {
        if (closed) {
            throw new AdminException(AdminErrorCode.SHUTTING_DOWN, "the update log is closed");
        }
        file.requireWhole();
    }

    private void requireCurrent(long baseVersion) throws AdminException {
        VersionHistory.requireCurrent(file.current(), baseVersion);
        limits.requireAnother(file.current().versions().size());
    }

    /**
     * Whether an update may be built and committed, now that its payload has come. Stays true until the next {@link #commit} or
     * {@link #rollback}: the caller lets none of them come between.
     *
     * @return the version that the same update has made meanwhile; if there is one, nothing is left to be done
     * @throws AdminException {@code stale_base_version}, {@code update_conflict}, {@code too_many_versions}, {@code internal}
     */
    public Optional<VersionRecord.Updated> admit(UpdateSpec spec) throws AdminException {
        writing.lock();
        try {
            Optional<VersionRecord.Updated> repeated = findRepeated(spec);
            if (repeated.isEmpty()) {
                requireUsable();
                requireCurrent(spec.baseVersion());
            }
            return repeated;
        } finally {
            writing.unlock();
        }
    }

    /**
     * Makes a finished payload the next version; when this returns, it is durable. The spool is closed in any case.
     *
     * @throws AdminException {@code disk_full}, {@code internal}; nothing has changed then
     * @throws IllegalStateException if another change has come since {@link #admit}
     */
    public VersionRecord.Updated commit(PayloadSpool spool) throws AdminException {
        try (spool) {
            UpdateSpec spec = spool.spec();
            Instant at = spool.committedAt(clock);
            return commit(spec.updateId(), spec.baseVersion(), spec.sha256(), false, () -> {
                spool.handOver();
                return spool.fileName();
            }, (version, payloadFile) -> new VersionRecord.Updated(version, spec, payloadFile, at));
        }
    }

    /**
     * The same for many tensors at once: all of them, or none.
     *
     * @param spec whose base version is current, or held if this one is to be
     * @param payload finished; closed in any case
     * @param hold whether the version is to be published later
     */
    public VersionRecord.Transaction commit(TransactionSpec spec, TransactionPayload payload, boolean hold) throws AdminException {
        try (payload) {
            Instant at = payload.committedAt(clock);
            return commit(spec.updateId(), spec.baseVersion(), spec.sha256(), hold, payload::handOver,
                    (version, payloadFile) -> new VersionRecord.Transaction(version, spec, payloadFile, at));
        }
    }

    /** @param handOver gives the finished payload's file away, and says its name */
    private <R extends VersionRecord.WithPayload> R commit(
            String updateId, long baseVersion, String sha256, boolean hold, Supplier<String> handOver, BiFunction<Long, String, R> makes)
            throws AdminException {
        return change("update " + updateId, () -> {
            if (baseVersion != currentVersion() && !(hold && held().contains(baseVersion))) {
                throw new IllegalStateException("not admitted: update_id=%s, base_version=%d, weights_version=%d"
                        .formatted(updateId, baseVersion, currentVersion()));
            }
            long version = newestVersion() + 1;
            String payloadFile = Manifest.payloadName(version, sha256);
            R record = makes.apply(version, payloadFile);
            file.replace(file.current().with(record, hold), handOver.get(), payloadFile);
            rebuilds.sound(record);
            return record;
        });
    }

    /**
     * Makes the weights of an older version the next version; durable when this returns.
     *
     * @param baseVersion the version that must be current
     * @throws AdminException {@code unknown_version}, {@code version_gone}, {@code stale_base_version}, {@code too_many_versions},
     *     {@code disk_full}, {@code internal}; nothing has changed then
     */
    public VersionRecord.RolledBack rollback(long toVersion, long baseVersion) throws AdminException {
        return rollback(toVersion, baseVersion, clock.instant());
    }

    /** The same, committed at a time that others have agreed on. */
    public VersionRecord.RolledBack rollback(long toVersion, long baseVersion, Instant at) throws AdminException {
        return change("rollback to version " + toVersion, () -> {
            VersionHistory.requireKept(file.current(), toVersion);
            requireCurrent(baseVersion);
            VersionHistory.requireOlder(file.current(), toVersion);
            var record = new VersionRecord.RolledBack(newestVersion() + 1, baseVersion, toVersion, at.truncatedTo(ChronoUnit.MILLIS));
            file.replace(file.current().with(record, false));
            return record;
        });
    }

    /**
     * Makes a held version the one that is served; durable when this returns.
     *
     * @throws AdminException {@code unknown_version} if it is not {@linkplain #held held}, {@code disk_full}, {@code internal}: no change
     */
    public void publish(long version) throws AdminException {
        change("publication of version " + version, () -> {
            VersionHistory.requireHeld(held(), currentVersion(), version);
            file.replace(file.current().published(version));
            return version;
        });
    }

    private interface Change<T> {
        T run() throws AdminException, IOException;
    }

    private <T> T change(String what, Change<T> change) throws AdminException {
        writing.lock();
        try {
            requireUsable();
            T done = change.run();
            var _ = rebuilds.known(file.current());
            return done;
        } catch (IOException e) {
            throw Refusals.ofIo(what, e);
        } finally {
            writing.unlock();
        }
    }

    /** Lets go of the directory. Spools that are open lose their files at the next start at the latest. */
    @Override
    public void close() {
        writing.lock();
        try {
            if (!closed) {
                closed = true;
                closeQuietly(storage);
            }
        } finally {
            writing.unlock();
        }
    }
}
