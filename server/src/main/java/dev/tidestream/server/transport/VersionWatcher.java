package dev.tidestream.server.transport;

import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

import org.reactivestreams.Subscription;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.BaseSubscriber;

import dev.tidestream.protocol.ServerMessage;
import dev.tidestream.server.transport.common.Mailbox;

/**
 * Tells one connection of new weights, one version at a time and only while the socket takes frames; those between are conflated
 * by the engine. Signals come on any thread and hop to the event loop.
 */
final class VersionWatcher extends BaseSubscriber<Long> {
    private static final Logger log = LoggerFactory.getLogger(VersionWatcher.class);

    private final Mailbox mailbox;
    private final BooleanSupplier writable;
    private final Consumer<ServerMessage> outlet;
    private boolean asking = true; // event loop

    /**
     * @param writable whether the socket takes frames
     * @param outlet sends one
     */
    VersionWatcher(Mailbox mailbox, BooleanSupplier writable, Consumer<ServerMessage> outlet) {
        this.mailbox = mailbox;
        this.writable = writable;
        this.outlet = outlet;
    }

    @Override
    protected void hookOnSubscribe(Subscription subscription) {
        request(1);
    }

    @Override
    protected void hookOnNext(Long version) {
        mailbox.post(() -> {
            asking = false;
            if (!isDisposed()) {
                outlet.accept(new ServerMessage.WeightsChanged(version));
                ask();
            }
        });
    }

    @Override
    protected void hookOnError(Throwable error) {
        log.error("no more news of weights", error);
    }

    /** Asks for the next version, unless it has done so or the socket is full; event loop. */
    void ask() {
        if (!asking && writable.getAsBoolean()) {
            asking = true;
            request(1);
        }
    }
}
