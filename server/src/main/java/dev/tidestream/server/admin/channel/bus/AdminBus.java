package dev.tidestream.server.admin.channel.bus;

import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.EventBus;
import io.vertx.core.eventbus.MessageConsumer;

/**
 * The stretch of event bus between admin sessions and the desk. Messages are sent, never asked for with a timeout: a change may
 * take minutes. Those of one sender to one receiver keep their order. Sending is for any thread; listeners are called in the
 * context that began to listen.
 */
public final class AdminBus {
    private static final String DESK = "tidestream.admin.desk";
    private static final String SESSION = "tidestream.admin.session.";
    private static final DeliveryOptions LOCAL =
            new DeliveryOptions().setLocalOnly(true).setCodecName(LocalCodec.NAME);
    private static final AtomicLong SESSIONS = new AtomicLong();

    private final EventBus events;

    private AdminBus(EventBus events) {
        this.events = events;
    }

    /** The bus of this Vert.x; makes its messages known there, once. */
    public static AdminBus of(Vertx vertx) {
        vertx.sharedData().<String, Boolean>getLocalMap("tidestream.admin").computeIfAbsent(LocalCodec.NAME, name -> {
            vertx.eventBus().registerCodec(new LocalCodec());
            return true;
        });
        return new AdminBus(vertx.eventBus());
    }

    /** An address that no other session of this process has. */
    public static String newSession() {
        return SESSION + SESSIONS.incrementAndGet();
    }

    /** The number of a session, which no other session of this process has. */
    public static String number(String session) {
        return session.substring(SESSION.length());
    }

    /** Fails if there is no desk, or none any more. */
    public Future<Void> toDesk(ToDesk message) {
        return events.<ToDesk>sender(DESK, LOCAL).write(message);
    }

    /** A session that is gone hears nothing, and that is no error. */
    public void toSession(String session, ToSession message) {
        events.send(session, message, LOCAL);
    }

    /** Listens as the desk; there is one per Vert.x. */
    public MessageConsumer<ToDesk> listenAsDesk(Consumer<ToDesk> listener) {
        return events.localConsumer(DESK, message -> listener.accept(message.body()));
    }

    /** Listens as a session. */
    public MessageConsumer<ToSession> listenAsSession(String session, Consumer<ToSession> listener) {
        return events.localConsumer(session, message -> listener.accept(message.body()));
    }
}
