package dev.tidestream.server.admin;

import java.nio.ByteBuffer;
import java.util.function.BooleanSupplier;

import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.protocol.admin.AdminReply;
import dev.tidestream.protocol.admin.AdminRequest;

/**
 * Who does what administrators ask for. Called by {@code AdminVerticle} on its worker threads, which may block; by several at
 * once, so changes are serialised here, or refused with {@code busy}.
 *
 * <p>An {@link AdminException} means that nothing has changed. Any other exception is a fault of the server: it is logged, and
 * the client gets {@code internal} without its details. Every {@code Ack} carries the ref of its request.
 */
public interface AdminDesk {

    /**
     * Does everything but what comes in binary frames. Reads ({@code optimization.status}, {@code weights.update_state},
     * {@code weights.status}, {@code weights.history}, {@code stats}, {@code streams}) must not wait for changes.
     */
    AdminReply.Ack handle(AdminRequest request, ProgressSink progress) throws AdminException;

    /**
     * Checks an update, or a part of one, before its payload is received; must not wait for a running change, since it shares a thread
     * with all payloads being received.
     *
     * @param update whose frames follow
     */
    UpdateStart begin(AdminRequest.WithFrames update, ProgressSink progress) throws AdminException;

    /**
     * Does what is good for later and nobody waits for, if there is anything; called after changes, by one thread at a time.
     *
     * @param givenUp ends it soon
     */
    default void maintain(BooleanSupplier givenUp) {}

    /** How an update begins. */
    sealed interface UpdateStart {
        /** It was applied before; its payload is not wanted. */
        record Repeated(AdminReply.Ack ack) implements UpdateStart {}

        record Receiving(Upload upload) implements UpdateStart {}
    }

    /**
     * The payload of an update on its way in. Calls come from different threads, but one after the other: any number of
     * {@link #accept}, one {@link #finish} or {@link #giveUp} unless something was wrong before, and in every case one {@link #close}
     * at the end.
     */
    interface Upload extends AutoCloseable {
        /** Takes a chunk, consumes it in any case, and uses nothing of it after the call; never more in all than was announced. */
        void accept(ByteBuffer chunk) throws AdminException;

        /** All announced bytes are there: applies the update. */
        AdminReply.Ack finish(ProgressSink progress) throws AdminException;

        /** The caller refuses the update: more bytes than announced, a connection that has closed, a server that stops. */
        void giveUp(AdminErrorCode why);

        /** Lets go of what the upload holds, unless it has become a version. */
        @Override
        void close();
    }

    /** Where a long call tells how far it is; for any thread, and cheap: what is too much is left out. */
    interface ProgressSink {
        /**
         * @param stage what is being done, 1 to 128 characters, e.g. {@code building}
         * @param done of {@code of} units, neither negative
         */
        void report(String stage, long done, long of);
    }
}
