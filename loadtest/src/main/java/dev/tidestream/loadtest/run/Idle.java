package dev.tidestream.loadtest.run;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

import org.jspecify.annotations.Nullable;

import dev.tidestream.loadtest.figures.Promise;
import dev.tidestream.loadtest.wire.Link;
import dev.tidestream.loadtest.wire.Target;
import dev.tidestream.protocol.ServerMessage;

/** Connections that are open, watch the weights and do nothing else. */
final class Idle {
    private static final int AT_ONCE = 100;

    private final int wanted;
    private final Target target;
    private final Promises promises;
    private final List<Link> links = new ArrayList<>();
    private int asked;
    private boolean closing;

    Idle(int wanted, Target target, Promises promises) {
        this.wanted = wanted;
        this.target = target;
        this.promises = promises;
    }

    /** Opens them, so many at a time, and goes on when all are open. */
    void open(Runnable whenOpen) {
        if (wanted == 0) {
            whenOpen.run();
        }
        for (int i = 0; i < Math.min(AT_ONCE, wanted); i++) {
            next(whenOpen);
        }
    }

    private void next(Runnable whenOpen) {
        int index = asked++;
        target.connect(new Link.Listener() {
            private @Nullable Link mine;
            private long version;

            @Override
            public void opened(Link link) {
                mine = link;
                link.watch();
                links.add(link);
                if (asked < wanted) {
                    next(whenOpen);
                }
                if (links.size() == wanted) {
                    whenOpen.run();
                }
            }

            @Override
            public void message(ServerMessage message, long nowNs) {
                if (message instanceof ServerMessage.WeightsChanged news) {
                    promises.check(Promise.NEWS, news.weightsVersion() >= version, () -> "idle connection " + index
                            + ": unexpected: " + message + ", version before=" + version);
                    version = news.weightsVersion();
                } else {
                    promises.broken(Promise.FRAME, "idle connection " + index + ": unexpected: " + message);
                }
            }

            @Override
            public void failed(String id, String code, String why, long nowNs) {
                promises.broken(Promise.FRAME, "idle connection " + index + ": unexpected: " + code + ": " + why);
            }

            @Override
            public void checked(String id, Promise promise, boolean kept, Supplier<String> otherwise) {
                promises.check(promise, kept, otherwise);
            }

            @Override
            public void garbage(String what, long nowNs) {
                promises.broken(Promise.FRAME, "idle connection " + index + ": " + what);
            }

            @Override
            public void closed(String why, long nowNs) {
                if (closing) {
                    return;
                }
                promises.broken(Promise.CONNECTION, "idle connection " + index + ": " + why);
                if (mine == null) {
                    throw new IllegalStateException("idle connection " + index + " cannot be opened: " + why);
                }
                links.remove(mine);
            }
        });
    }

    int open() {
        return links.size();
    }

    void close() {
        closing = true;
        links.forEach(_ -> promises.kept(Promise.CONNECTION));
        links.forEach(Link::close);
        links.clear();
    }
}
