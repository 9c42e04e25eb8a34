package dev.tidestream.server.transport.endpoint;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.BooleanSupplier;

import io.vertx.core.Future;
import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.protocol.ServerTexts;
import dev.tidestream.server.transport.http.HttpError;

/** The live connections of one kind, bounded in number. Event loop, but for {@link #count}. */
public final class Sessions implements Endpoint.Capacity {
    private static final int UNAVAILABLE = 503;

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
    public HttpError refusal() {
        return stopping.getAsBoolean()
                ? HttpError.of(UNAVAILABLE, ErrorCode.SHUTTING_DOWN.wireName(), ServerTexts.SHUTTING_DOWN)
                : Endpoint.Capacity.super.refusal();
    }

    /** Keeps a place until this completes. */
    public void reserveUntil(Future<?> opened) {
        opening++;
        opened.onComplete(done -> opening--);
    }

    /** A place for a session that may come to be, to be taken or released; null if there is none. */
    public @Nullable Place reserve() {
        if (!hasRoom()) {
            return null;
        }
        opening++;
        return new Place();
    }

    /** A place that is kept. Event loop. */
    public final class Place {
        private boolean kept = true;

        private Place() {}

        /** Nobody needs it; again, or after {@link #open}, does nothing. */
        public void release() {
            if (kept) {
                kept = false;
                opening--;
            }
        }

        /** Lets a session run in this place; it counts until it is closed. */
        public void open(Session session) {
            release();
            Sessions.this.open(session);
        }
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
