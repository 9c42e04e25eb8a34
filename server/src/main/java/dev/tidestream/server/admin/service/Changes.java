package dev.tidestream.server.admin.service;

import java.util.concurrent.locks.ReentrantLock;

import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.pacing.PacedTeam;

/** Changes of what is served go one at a time; only a few wait. Any thread that may block. */
final class Changes {
    /** More would hold the threads that reads need. */
    private static final int MAX_WAITING = 2;

    private final ReentrantLock lock;
    private final PacedTeam team;

    /** @param team whose turns end with a change */
    Changes(ReentrantLock lock, PacedTeam team) {
        this.lock = lock;
        this.team = team;
    }

    /** A change of what is served. */
    interface Change<T> {
        T run() throws AdminException;
    }

    /**
     * Makes a change when it is its turn.
     *
     * @throws AdminException {@code busy}, {@code budget_exceeded} if the system has no memory, and what the change throws
     */
    <T> T run(Change<T> change) throws AdminException {
        if (lock.getQueueLength() >= MAX_WAITING) {
            throw new AdminException(AdminErrorCode.BUSY, "other changes wait already: waiting=%d, limit=%d"
                    .formatted(lock.getQueueLength(), MAX_WAITING));
        }
        return runInTurn(change);
    }

    /**
     * The same for one who makes changes that are decided, and waits behind however many others.
     *
     * @throws AdminException {@code budget_exceeded} if the system has no memory, and what the change throws
     */
    <T> T runInTurn(Change<T> change) throws AdminException {
        lock.lock();
        try {
            return change.run();
        } catch (OutOfMemoryError e) {
            throw new AdminException(AdminErrorCode.BUDGET_EXCEEDED, "the system has no memory for it: " + e.getMessage(), e);
        } finally {
            team.rest();
            lock.unlock();
        }
    }
}
