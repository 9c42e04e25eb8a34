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

import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.admin.Refusals;
import dev.tidestream.server.admin.store.directory.Sha256;
import dev.tidestream.server.admin.store.directory.Storage;

/**
 * The payload of a transaction while it is written, one change behind the other, into a temporary file of the data directory.
 * {@link UpdateLog#commit} makes it a version's; otherwise {@link #close} removes it. One thread, which may block.
 */
public final class TransactionPayload implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(TransactionPayload.class);

    private final Storage storage;
    private final String updateId;
    private final String fileName;
    private final Runnable onClose;
    private final MessageDigest digest = Sha256.digest();
    private final Storage.Sink sink;
    private long writtenBytes;
    private String sha256 = "";
    private boolean closed;
    private @Nullable Instant agreedAt;

    /** @param onClose called once, when the file is closed or has become a version's */
    TransactionPayload(Storage storage, String updateId, String fileName, Runnable onClose) throws IOException {
        this.storage = storage;
        this.updateId = updateId;
        this.fileName = fileName;
        this.onClose = onClose;
        this.sink = storage.create(fileName);
    }

    /**
     * Appends bytes; what remains of the buffer is consumed.
     *
     * @throws AdminException {@code disk_full}, {@code internal}
     */
    public void write(ByteBuffer bytes) throws AdminException {
        try {
            writtenBytes += bytes.remaining();
            digest.update(bytes.duplicate());
            sink.write(bytes);
        } catch (IOException e) {
            throw Refusals.ofIo("payload of " + updateId, e);
        }
    }

    /**
     * Ends it: its bytes are durable.
     *
     * @throws AdminException {@code disk_full}, {@code internal}
     */
    public void finish() throws AdminException {
        try {
            sink.force();
            sink.close();
        } catch (IOException e) {
            throw Refusals.ofIo("payload of " + updateId, e);
        }
        sha256 = Sha256.hex(digest);
    }

    /** How much was written. */
    public long writtenBytes() {
        return writtenBytes;
    }

    /** Of the finished payload. */
    public String sha256() {
        requireFinished();
        return sha256;
    }

    /** Where the finished payload is, until it is committed or closed; a mapping of it stays valid when it is committed. */
    public Path file() {
        requireFinished();
        return storage.path(fileName);
    }

    /** Others have agreed on when it is committed. */
    public void agreedAt(Instant time) {
        agreedAt = time;
    }

    Instant committedAt(InstantSource clock) {
        return (agreedAt == null ? clock.instant() : agreedAt).truncatedTo(ChronoUnit.MILLIS);
    }

    /** The file is the caller's; its name. */
    String handOver() {
        requireFinished();
        closed = true;
        onClose.run();
        return fileName;
    }

    private void requireFinished() {
        if (closed || sha256.isEmpty()) {
            throw new IllegalStateException("no finished payload: update_id=" + updateId);
        }
    }

    /** Removes the file, unless it has become a version's. A second call does nothing. */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        try {
            sink.close();
            storage.delete(fileName);
        } catch (IOException e) {
            log.warn("payload could not be removed, the next start will: file={}", fileName, e);
        } finally {
            onClose.run();
        }
    }
}
