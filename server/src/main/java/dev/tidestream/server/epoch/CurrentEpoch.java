package dev.tidestream.server.epoch;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.function.LongConsumer;

import dev.tidestream.model.transformer.LanguageModel;

/**
 * The epoch that is current, those that are held to be it later, and the count of those still in use.
 *
 * <p>An epoch has one reference for being current or held and one per lease. Whoever drops the last one frees it; a count of zero never
 * rises again, so this happens once. {@link #lease} may read an epoch that is superseded and freed before the count is taken: then
 * taking it fails, and the newer epoch is there to be read. {@link #publish} is a single volatile store; readers never wait.
 *
 * <p>All epochs of a server are interchangeable under a running sequence: same vocabulary, context and KV-cache shape.
 * Safe for use by any thread.
 */
public final class CurrentEpoch implements AutoCloseable {
    private final LiveEpochs liveEpochs = new LiveEpochs();
    private final Executor reclaimer;
    private volatile CountedEpoch current;
    private final List<LongConsumer> listeners = new CopyOnWriteArrayList<>();
    private final SortedMap<Long, CountedEpoch> held = new TreeMap<>(); // by version; guarded by this
    private volatile Trial trial = Trial.NONE;
    private volatile boolean closed;

    /** Epochs are freed where their last lease ends. */
    public CurrentEpoch(ModelEpoch first) {
        this(first, Runnable::run);
    }

    /** @param reclaimer frees epochs; the decode thread, which ends most leases, should not wait for the system to unmap memory */
    public CurrentEpoch(ModelEpoch first, Executor reclaimer) {
        this.reclaimer = reclaimer;
        current = new CountedEpoch(first, liveEpochs, reclaimer);
    }

    /**
     * A lease on the newest epoch, to be closed by the caller.
     *
     * @throws IllegalStateException if no epoch is current any more
     */
    public Lease lease() {
        while (true) {
            CountedEpoch newest = current;
            if (newest.acquire()) {
                return new Lease(newest);
            }
            if (closed && newest.equals(current)) {
                throw new IllegalStateException("no epoch is current: closed");
            }
        }
    }

    /**
     * A lease on the newest epoch of a version that is alive, to be closed by the caller; empty if there is none.
     *
     * @throws IllegalStateException if no epoch is current any more
     */
    public Optional<Lease> lease(long weightsVersion) {
        Lease newest = lease();
        if (newest.epoch().weightsVersion() == weightsVersion) {
            return Optional.of(newest);
        }
        newest.close();
        return liveEpochs.list().reversed().stream()
                .filter(counted -> counted.epoch().weightsVersion() == weightsVersion && counted.acquire())
                .findFirst()
                .map(Lease::new);
    }

    /**
     * A lease for a new stream that names no version: on the newest epoch, or on that of a version that is tried; to be closed by the
     * caller.
     *
     * @param seed of its sampling
     * @param account whose it is
     * @throws IllegalStateException if no epoch is current any more
     */
    public Lease lease(long seed, Object account) {
        Trial tried = trial;
        long version = tried.weightsVersion();
        return version != Trial.NO_VERSION && tried.takes(seed, account) ? lease(version).orElseGet(this::lease) : lease();
    }

    /** Has some new streams begin with another version from now on. */
    public void tryOut(Trial newTrial) {
        trial = newTrial;
    }

    /** Whether a new lease would be for the very same epoch. */
    public boolean isCurrent(Lease lease) {
        return lease.counted() == current;
    }

    /** Whether a lease is for a version that is tried now, and not the current one. */
    public boolean isTried(Lease lease) {
        return lease.epoch().weightsVersion() == trial.weightsVersion() && !isCurrent(lease);
    }

    /** Registers a listener for versions published later, in order, on the publishing thread. It must not block or throw. */
    public void onPublish(LongConsumer listener) {
        listeners.add(listener);
    }

    /**
     * The newest epoch. Its memory is given back at any time after the next {@link #publish}, unless a {@link #lease} holds it.
     * Who reads without one reads what needs no memory, or is the one who publishes.
     */
    public ModelEpoch newest() {
        return current.epoch();
    }

    /** Version of the newest epoch. */
    public long weightsVersion() {
        return current.epoch().weightsVersion();
    }

    /** Epochs whose memory has not been given back. */
    public int liveEpochs() {
        return liveEpochs.count();
    }

    /** The epochs whose memory has not been given back, oldest first. */
    public List<EpochStatus> live() {
        CountedEpoch newest = current;
        return liveEpochs.list().stream()
                .map(counted -> status(counted, counted.equals(newest) && !closed, isHeld(counted)))
                .toList();
    }

    private synchronized boolean isHeld(CountedEpoch counted) {
        return counted.equals(held.get(counted.epoch().weightsVersion()));
    }

    private static EpochStatus status(CountedEpoch counted, boolean isCurrent, boolean isHeld) {
        ModelEpoch epoch = counted.epoch();
        int leases = Math.max(0, counted.references() - (isCurrent || isHeld ? 1 : 0));
        return new EpochStatus(epoch.weightsVersion(), epoch.headMode(), isCurrent, leases,
                epoch.memory().bytes(), epoch.memory().ownBytes());
    }

    /**
     * Waits until fewer than {@code limit} epochs are alive.
     *
     * @return false if that took longer than {@code patience}
     */
    public boolean awaitFewerThan(int limit, Duration patience) throws InterruptedException {
        return liveEpochs.awaitFewerThan(limit, patience.toNanos());
    }

    /**
     * Makes {@code next} the newest epoch, in one store. The one before it is freed when its last lease ends, possibly here.
     *
     * @throws IllegalArgumentException if the version falls, or the model cannot take over running sequences; {@code next} is then
     *     still the caller's
     */
    public synchronized void publish(ModelEpoch next) {
        if (closed) {
            throw new IllegalStateException("closed: weights_version=" + next.weightsVersion());
        }
        requireSuccessor(current.epoch(), next);
        become(new CountedEpoch(next, liveEpochs, reclaimer));
    }

    private void become(CountedEpoch next) {
        CountedEpoch previous = current;
        current = next;
        previous.release();
        long version = next.epoch().weightsVersion();
        SortedMap<Long, CountedEpoch> older = held.headMap(version + 1); // it will never be their turn
        older.values().forEach(CountedEpoch::release);
        older.clear();
        listeners.forEach(listener -> listener.accept(version));
    }

    /**
     * Keeps a newer epoch beside the current one: it can be leased by its version, and {@linkplain #publishHeld become} current.
     *
     * @throws IllegalArgumentException if the version is not newer, one of it is held, or the model cannot take over running sequences;
     *     {@code next} is then still the caller's
     */
    public synchronized void hold(ModelEpoch next) {
        if (closed) {
            throw new IllegalStateException("closed: weights_version=" + next.weightsVersion());
        }
        requireSuccessor(current.epoch(), next);
        if (next.weightsVersion() == weightsVersion() || held.containsKey(next.weightsVersion())) {
            throw new IllegalArgumentException("current or held already: weights_version=" + next.weightsVersion());
        }
        held.put(next.weightsVersion(), new CountedEpoch(next, liveEpochs, reclaimer));
    }

    /** Versions that are held, oldest first. */
    public synchronized SortedSet<Long> held() {
        return new TreeSet<>(held.keySet());
    }

    /** Makes a held epoch the newest one; false if none of this version is held. */
    public synchronized boolean publishHeld(long version) {
        CountedEpoch next = closed ? null : held.remove(version);
        if (next == null) {
            return false;
        }
        become(next);
        return true;
    }

    /** Holds a version no longer: its epoch is freed when its last lease ends, possibly here. Nothing happens if it is not held. */
    public synchronized void letGo(long version) {
        CountedEpoch leaving = held.remove(version);
        if (leaving != null) {
            leaving.release();
        }
    }

    private static void requireSuccessor(ModelEpoch previous, ModelEpoch next) {
        if (next.equals(previous) || next.weightsVersion() < previous.weightsVersion()) {
            throw new IllegalArgumentException("weights_version must not fall: next=%d, current=%d"
                    .formatted(next.weightsVersion(), previous.weightsVersion()));
        }
        LanguageModel was = previous.model();
        LanguageModel is = next.model();
        if (is.vocabularySize() != was.vocabularySize()
                || is.contextLength() != was.contextLength()
                || !is.kvCacheShape().equals(was.kvCacheShape())
                || is.maxRows() < was.maxRows()) {
            throw new IllegalArgumentException(
                    "model cannot take over: vocabulary=%d (is %d), context=%d (is %d), kv=%s (is %s), maxRows=%d (is %d)".formatted(
                            is.vocabularySize(), was.vocabularySize(), is.contextLength(), was.contextLength(),
                            is.kvCacheShape(), was.kvCacheShape(), is.maxRows(), was.maxRows()));
        }
    }

    /** No lease is given from now on; the last epoch is freed when its last lease ends. */
    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            current.release();
            held.values().forEach(CountedEpoch::release);
            held.clear();
        }
    }
}
