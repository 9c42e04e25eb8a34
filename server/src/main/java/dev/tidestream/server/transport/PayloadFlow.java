package dev.tidestream.server.transport;

import io.vertx.core.buffer.Buffer;
import org.jspecify.annotations.Nullable;

/**
 * The payload of one update on its way from the socket to the desk: one chunk is being written there, the next is gathered here.
 * Small frames share a chunk; when the gathered one is {@link #full}, nothing more should be read. Event loop.
 */
final class PayloadFlow {
    private static final int ENOUGH_BYTES = 256 << 10;

    private final String ref;
    private final long announcedBytes;
    private long receivedBytes;
    private long leftInFrame;
    private boolean deskReady;
    private @Nullable Buffer gathered;

    PayloadFlow(String ref, long announcedBytes) {
        this.ref = ref;
        this.announcedBytes = announcedBytes;
    }

    String ref() {
        return ref;
    }

    /** All announced bytes have come, or even more. */
    boolean complete() {
        return receivedBytes >= announcedBytes;
    }

    boolean exact() {
        return receivedBytes == announcedBytes;
    }

    boolean full() {
        return gathered != null && gathered.length() >= ENOUGH_BYTES;
    }

    /**
     * @param data given away; may be empty, as fragments may
     * @param moreInFrame bytes of the same frame that are still to come
     */
    void add(Buffer data, long moreInFrame) {
        receivedBytes += data.length();
        leftInFrame = moreInFrame;
        if (gathered != null) {
            gathered.appendBuffer(data);
        } else if (data.length() > 0) {
            gathered = data;
        }
    }

    /** The desk takes the next chunk. */
    void onDeskReady() {
        deskReady = true;
    }

    /**
     * The chunk to send now, if there is one and the desk is ready; it is not, then, until it says so again. A frame that makes
     * the payload too long is gathered to its end, if it is not large, so that the desk can say how long it was.
     */
    @Nullable Buffer next() {
        Buffer chunk = gathered;
        boolean gathering = leftInFrame > 0 && receivedBytes + leftInFrame > announcedBytes && !full();
        if (!deskReady || chunk == null || gathering) {
            return null;
        }
        deskReady = false;
        gathered = null;
        return chunk;
    }
}
