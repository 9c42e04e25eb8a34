package dev.tidestream.server.transport.endpoint;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.BooleanSupplier;

import io.vertx.core.Future;

/** The live connections of one kind, bounded in number. Event loop, but for {@link #count}. */
public final class Sessions implements Endpoint.Capacity {
    private volatile int limit;
    private final BooleanSupplier stopping;
    private final Set<Session> open = new HashSet<>();
    private int opening;
    private volatile int count;

    /**
     * @param limit most that are open at once
     * @param stopping whether the server takes no more
     */
    public Sessions(int limit, BooleanSupplier stopping) {
        this.limit = limit;
        this.stopping = stopping;
    }

    @Override
    public boolean hasRoom() {
        return !stopping.getAsBoolean() && open.size() + opening < limit;
    }

    @Override
    public boolean isStopping() {
        return stopping.getAsBoolean();
    }

    /** Keeps a place until this completes. */
    public void reserveUntil(Future<?> opened) {
        opening++;
        opened.onComplete(done -> opening--);
    }

    /** Lets a session run; it counts until it is closed. */
    public void open(Session session) {
        open.add(session);
        count = open.size();
        session.closed().onComplete(closed -> {
            open.remove(session);
            count = open.size();
        });
        session.run();
        if (stopping.getAsBoolean()) {
            session.drain();
        }
    }

    /** Another number of sessions may be open from now on; those that are stay. Any thread. */
    public void limit(int sessions) {
        limit = sessions;
    }

    /** Those that are open now. */
    public List<Session> all() {
        return List.copyOf(open);
    }

    /** How many are open. Any thread. */
    public int count() {
        return count;
    }
}
