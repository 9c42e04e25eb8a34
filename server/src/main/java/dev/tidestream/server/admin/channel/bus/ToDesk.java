package dev.tidestream.server.admin.channel.bus;

import io.vertx.core.buffer.Buffer;

import dev.tidestream.protocol.admin.AdminRequest;
import dev.tidestream.server.logging.Caller;

/** From a session to the desk. */
public sealed interface ToDesk {

    /** Where the session listens; see {@link AdminBus#newSession}. */
    String session();

    /**
     * A request; a {@link ToSession.Reply} that is no progress answers it.
     *
     * @param caller for the log
     */
    record Call(String session, Caller caller, AdminRequest request) implements ToDesk {}

    /**
     * The next bytes of an update's payload, sent after {@link ToSession.Receiving} and then one at a time: the next only when
     * {@link ToSession.ChunkTaken} has come.
     *
     * @param ref of the update
     * @param data given away: the sender changes it no more
     */
    record Chunk(String session, String ref, Buffer data) implements ToDesk {}

    /** The connection is gone, and with it any payload that is not complete. */
    record Closed(String session) implements ToDesk {}
}
