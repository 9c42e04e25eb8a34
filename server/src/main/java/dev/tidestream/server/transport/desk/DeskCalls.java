package dev.tidestream.server.transport.desk;

import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Function;

import io.vertx.core.Vertx;
import io.vertx.core.eventbus.MessageConsumer;
import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.ServerTexts;
import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.protocol.admin.AdminReply;
import dev.tidestream.protocol.admin.AdminRequest;
import dev.tidestream.server.admin.channel.bus.AdminBus;
import dev.tidestream.server.admin.channel.bus.ToDesk;
import dev.tidestream.server.admin.channel.bus.ToSession;
import dev.tidestream.server.logging.Caller;
import dev.tidestream.server.transport.endpoint.Endpoint;
import dev.tidestream.server.transport.endpoint.Exchange;

/** Asks the desk one thing for each HTTP request, at an address of its own on the bus; so many at once. Event loop. */
public final class DeskCalls implements Endpoint.Capacity {
    private final AdminBus bus;
    private final String fingerprint;
    private final int most;
    private int underWay;

    /**
     * @param fingerprint of the administrators' token, for the audit log
     * @param most requests under way at once
     */
    public DeskCalls(Vertx vertx, String fingerprint, int most) {
        this.bus = AdminBus.of(vertx);
        this.fingerprint = fingerprint;
        this.most = most;
    }

    @Override
    public boolean hasRoom() {
        return underWay < most;
    }

    /**
     * Sends a request, and hands over what ends it.
     *
     * @param request made for the name that it is to have
     */
    void ask(Exchange exchange, Function<String, AdminRequest> request, Consumer<AdminReply> answer) {
        String session = AdminBus.newSession();
        AtomicReference<@Nullable MessageConsumer<ToSession>> listening = new AtomicReference<>();
        underWay++;
        listening.set(bus.listenAsSession(session, message -> {
            if (message instanceof ToSession.Reply(AdminReply reply) && !(reply instanceof AdminReply.Progress)) {
                ended(session, listening.get(), answer, reply);
            }
        }));
        String ref = "http-" + AdminBus.number(session);
        Caller caller = new Caller("h" + AdminBus.number(session), String.valueOf(exchange.request().remoteAddress()), fingerprint);
        bus.toDesk(new ToDesk.Call(session, caller, request.apply(ref))).onFailure(e -> ended(session, listening.get(), answer,
                new AdminReply.Failed(ref, AdminErrorCode.SHUTTING_DOWN, ServerTexts.SHUTTING_DOWN)));
    }

    private void ended(String session, @Nullable MessageConsumer<ToSession> listening, Consumer<AdminReply> answer, AdminReply reply) {
        underWay--;
        if (listening != null) {
            listening.unregister();
        }
        bus.toDesk(new ToDesk.Closed(session));
        answer.accept(reply);
    }
}
