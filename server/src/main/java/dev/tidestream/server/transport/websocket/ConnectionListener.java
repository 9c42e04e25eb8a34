package dev.tidestream.server.transport.websocket;

import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;

/** What a session hears of its {@link Connection}. Event loop. */
public interface ConnectionListener {
    void onText(String text);

    /**
     * A text message that was not kept since it is too large.
     *
     * @param bytes of the message, at least
     * @param head its beginning
     */
    void onTooLarge(long bytes, String head);

    /** A text message that was not kept since all connections together hold as much as they may; see {@link #onTooLarge}. */
    void onNoRoom(long bytes, String head);

    /**
     * A part of a binary message, as it comes; may be empty.
     *
     * @param first of its message
     * @param leftInFrame bytes of the same frame that are still to come
     */
    void onBinary(Buffer part, boolean first, long leftInFrame);

    /** The socket takes messages again. */
    void onDrain();

    /** Nothing more comes; completes when all that the client has asked for and was not told anything of is answered. */
    Future<Void> onViolation();

    /** Nothing more comes or goes; called once. */
    void onClose();
}
