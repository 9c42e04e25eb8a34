package dev.tidestream.server.cluster.log;

import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Those who are told of versions, a thread each: who is slow keeps nobody else waiting. Any thread. */
final class Followers implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Followers.class);
    private static final int AT_ONCE = 64;
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final Source source;
    private final Set<Follower> all = ConcurrentHashMap.newKeySet();
    private long news; // guarded by this, as is closed
    private boolean closed;

    /** What they are told of. */
    interface Source {
        /** Versions after one, at most so many. */
        List<Manifest> after(long version, int atMost);

        /** The version for new streams. */
        long published();
    }

    /** @param source that does not wait */
    Followers(Source source) {
        this.source = source;
    }

    /** There is something new. */
    synchronized void changed() {
        news++;
        notifyAll();
    }

    /** How often there was something new. */
    synchronized long news() {
        return news;
    }

    /**
     * Waits for something new.
     *
     * @param seen what {@link #news} was
     * @return false if there will be nothing more
     */
    private synchronized boolean await(Follower follower, long seen) throws InterruptedException {
        while (news == seen && !closed && !follower.ended) {
            wait();
        }
        return !closed && !follower.ended;
    }

    WeightLog.Following follow(long afterVersion, Consumer<LogEntry> told) {
        Follower follower = new Follower(afterVersion, told);
        synchronized (this) {
            if (closed) {
                throw new IllegalStateException("the log is closed");
            }
            all.add(follower);
        }
        follower.thread.start();
        return follower;
    }

    private final class Follower implements WeightLog.Following {
        private final Consumer<LogEntry> told;
        private final Thread thread = Thread.ofPlatform().daemon().name("tidestream-log-follower").unstarted(this::run);
        private long version;
        private long published = Manifest.BASE_VERSION;
        private volatile boolean ended;

        Follower(long version, Consumer<LogEntry> told) {
            this.version = version;
            this.told = told;
        }

        private void run() {
            try {
                long seen;
                do {
                    seen = news();
                    tell();
                } while (await(this, seen));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            } catch (RuntimeException e) {
                log.error("a follower of the log has failed, and is told no more: version={}", version, e);
            } finally {
                all.remove(this);
            }
        }

        private void tell() {
            for (List<Manifest> next = source.after(version, AT_ONCE); !next.isEmpty() && !ended; next = source.after(version, AT_ONCE)) {
                for (Manifest manifest : next) {
                    if (ended) {
                        return;
                    }
                    version = manifest.baseVersion() + 1;
                    told.accept(new LogEntry.Version(version, manifest));
                }
            }
            long now = Math.min(source.published(), version);
            if (now > published && !ended) {
                published = now;
                told.accept(new LogEntry.Published(now));
            }
        }

        /** Not by an interrupt, which would close the files that the follower may be writing. */
        private void end() {
            ended = true;
            synchronized (Followers.this) {
                Followers.this.notifyAll();
            }
        }

        @Override
        public void close() {
            end();
            if (thread == Thread.currentThread()) {
                return;
            }
            try {
                if (!thread.join(PATIENCE)) {
                    log.warn("a follower of the log has not ended in time: version={}", version);
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    @Override
    public void close() {
        synchronized (this) {
            closed = true;
            notifyAll();
        }
        all.forEach(Follower::end);
        all.forEach(Follower::close);
    }
}
