package dev.tidestream.server.admin.store;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.admin.Refusals;
import dev.tidestream.server.admin.store.directory.Sha256;
import dev.tidestream.server.admin.store.directory.Storage;

/**
 * The payload of one update on its way to disk: chunks are appended to a temporary file of the data directory and hashed as
 * they come, so memory does not grow with the payload. {@link UpdateLog#commit} makes the finished file a version; otherwise
 * {@link #close}, which may come at any moment and from any thread, removes it. Every failure closes it as well.
 *
 * <p>Blocks on the disk: worker threads only. Calls are serialised.
 */
public final class PayloadSpool implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(PayloadSpool.class);

    private enum State {
        RECEIVING,
        COMPLETE,
        CLOSED
    }

    private final Storage storage;
    private final UpdateSpec spec;
    private final String fileName;
    private final Runnable onClose;
    private final MessageDigest digest = Sha256.digest();
    private final Storage.Sink sink;
    private State state = State.RECEIVING;
    private @Nullable Instant agreedAt;
    private long receivedBytes;

    /**
     * Creates the file.
     *
     * @param onClose called once, when the spool is closed or has become a version
     */
    PayloadSpool(Storage storage, UpdateSpec spec, String fileName, Runnable onClose) throws IOException {
        this.storage = storage;
        this.spec = spec;
        this.fileName = fileName;
        this.onClose = onClose;
        this.sink = storage.create(fileName);
    }

    /** What the payload belongs to. */
    public UpdateSpec spec() {
        return spec;
    }

    /** How much has come so far. */
    public synchronized long receivedBytes() {
        return receivedBytes;
    }

    /**
     * Appends a chunk; what remains of the buffer is consumed. Reuse the buffer afterwards as you like.
     *
     * @throws AdminException {@code invalid_length} if it is more than was announced, {@code disk_full}, {@code internal}
     */
    public synchronized void accept(ByteBuffer chunk) throws AdminException {
        require(State.RECEIVING);
        long total = receivedBytes + chunk.remaining();
        if (total > spec.byteLength()) {
            close();
            throw new AdminException(
                    AdminErrorCode.INVALID_LENGTH,
                    "payload too long: received_bytes=%d, byte_length=%d".formatted(total, spec.byteLength()));
        }
        try {
            digest.update(chunk.duplicate());
            sink.write(chunk);
        } catch (IOException e) {
            close();
            throw Refusals.ofIo("payload of " + spec.updateId(), e);
        }
        receivedBytes = total;
    }

    /**
     * Ends the payload: it is complete, its checksum is right, and its bytes are durable.
     *
     * @throws AdminException {@code invalid_length} if it is too short, {@code checksum_mismatch}, {@code disk_full}, {@code internal}
     */
    public synchronized void finish() throws AdminException {
        require(State.RECEIVING);
        if (receivedBytes < spec.byteLength()) {
            close();
            throw new AdminException(
                    AdminErrorCode.INVALID_LENGTH,
                    "payload too short: received_bytes=%d, byte_length=%d".formatted(receivedBytes, spec.byteLength()));
        }
        String actual = Sha256.hex(digest);
        if (!actual.equals(spec.sha256())) {
            close();
            throw new AdminException(
                    AdminErrorCode.CHECKSUM_MISMATCH,
                    "payload has another checksum: sha256=%s, announced=%s".formatted(actual, spec.sha256()));
        }
        try {
            sink.force();
            sink.close();
        } catch (IOException e) {
            close();
            throw Refusals.ofIo("payload of " + spec.updateId(), e);
        }
        state = State.COMPLETE;
    }

    /** Where the finished payload is, until it is committed or closed; a mapping of it stays valid when it is committed. */
    public synchronized Path file() {
        require(State.COMPLETE);
        return storage.path(fileName);
    }

    /** Others have agreed on when it is committed. */
    public synchronized void agreedAt(Instant time) {
        agreedAt = time;
    }

    synchronized Instant committedAt(InstantSource clock) {
        return (agreedAt == null ? clock.instant() : agreedAt).truncatedTo(ChronoUnit.MILLIS);
    }

    String fileName() {
        return fileName;
    }

    /** Nobody may write, rename or remove the file any more but the caller. */
    synchronized void handOver() {
        require(State.COMPLETE);
        state = State.CLOSED;
        onClose.run();
    }

    /** Gives up: removes the file, unless it has become a version. A second call does nothing. */
    @Override
    public synchronized void close() {
        if (state == State.CLOSED) {
            return;
        }
        State was = state;
        state = State.CLOSED;
        try {
            if (was == State.RECEIVING) {
                sink.close();
            }
        } catch (IOException e) {
            log.warn("spool could not be closed: file={}", fileName, e);
        }
        try {
            storage.delete(fileName);
        } catch (IOException e) {
            log.warn("spool could not be removed, the next start will: file={}", fileName, e);
        } finally {
            onClose.run();
        }
    }

    private void require(State expected) {
        if (state != expected) {
            throw new IllegalStateException(
                    "spool of %s must be %s: %s".formatted(spec.updateId(), expected, state));
        }
    }
}
