package dev.tidestream.loadtest.run;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

import org.jspecify.annotations.Nullable;

import dev.tidestream.loadtest.figures.Promise;
import dev.tidestream.loadtest.wire.Link;
import dev.tidestream.protocol.ServerMessage;

/** One connection of the load and the streams on it. */
final class Lane implements Link.Listener {
    /** Told by a lane what happens on it. */
    interface Owner {
        void laneOpened(Lane lane);

        void laneClosed(Lane lane, List<Stream> broken, String why, long nowNs);

        void frame(Lane lane, Stream stream, ServerMessage message, long nowNs);

        /** A stream was refused or broke off. */
        void failed(Lane lane, Stream stream, String code, String why);

        Promises promises();
    }

    final int number;
    /** Which server it leads to, counted from 0. */
    final int server;
    /** For one stream at a time: its client reads so slowly that others on the same connection would wait, too. */
    final boolean alone;
    final Map<String, Stream> running = new LinkedHashMap<>();
    private final Owner owner;
    private @Nullable Link link;
    private boolean everOpened;
    /** We broke it off, or said goodbye. */
    boolean leaving;
    boolean paused;
    /** Streams that were started on it. */
    long started;
    private long version;

    Lane(int number, int server, boolean alone, Owner owner) {
        this.number = number;
        this.server = server;
        this.alone = alone;
        this.owner = owner;
    }

    @Override
    public void opened(Link opened) {
        link = opened;
        everOpened = true;
        owner.laneOpened(this);
    }

    @Override
    public void message(ServerMessage message, long nowNs) {
        if (message instanceof ServerMessage.WeightsChanged changed) {
            owner.promises().check(Promise.NEWS, changed.weightsVersion() >= version, () -> "connection " + number
                    + ": news of an older version: version=" + changed.weightsVersion() + ", before=" + version);
            version = changed.weightsVersion();
            return;
        }
        String id = message.id();
        Stream stream = id == null ? null : running.get(id);
        owner.promises().check(Promise.FRAME, stream != null, () -> "connection " + number + ": a frame of no running stream: "
                + message);
        if (stream != null) {
            owner.frame(this, stream, message, nowNs);
        }
    }

    @Override
    public void failed(String id, String code, String why, long nowNs) {
        Stream stream = running.get(id);
        if (stream != null) {
            owner.failed(this, stream, code, why);
        }
    }

    @Override
    public void checked(String id, Promise promise, boolean kept, Supplier<String> otherwise) {
        owner.promises().check(promise, kept, () -> id + ": " + otherwise.get());
    }

    @Override
    public void garbage(String what, long nowNs) {
        owner.promises().broken(Promise.FRAME, "connection " + number + ": " + what);
    }

    @Override
    public void closed(String why, long nowNs) {
        List<Stream> broken = List.copyOf(running.values());
        running.clear();
        link = null;
        owner.laneClosed(this, broken, why, nowNs);
    }

    @Nullable
    Link link() {
        return link;
    }

    boolean isOpen() {
        return link != null && !leaving;
    }

    boolean everOpened() {
        return everOpened;
    }
}
