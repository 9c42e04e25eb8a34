package dev.tidestream.server.admin.channel.bus;

import dev.tidestream.protocol.admin.AdminReply;

/** From the desk to a session. */
public sealed interface ToSession {

    /** Goes out to the client as it is. */
    record Reply(AdminReply reply) implements ToSession {}

    /** The update was accepted so far: its payload may come. */
    record Receiving(String ref) implements ToSession {}

    /** The last chunk is on disk: the next may come. */
    record ChunkTaken(String ref) implements ToSession {}

    /** The desk knows that the connection is gone, and holds no payload of it any more: no need to listen. */
    record Goodbye() implements ToSession {}
}
