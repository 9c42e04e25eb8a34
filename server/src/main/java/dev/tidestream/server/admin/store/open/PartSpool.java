package dev.tidestream.server.admin.store.open;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.MessageDigest;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.admin.Refusals;
import dev.tidestream.server.admin.store.directory.Sha256;
import dev.tidestream.server.admin.store.directory.Storage;

/**
 * A part of a transaction on its way to disk: chunks are appended to a temporary file and hashed as they come. Blocks; worker threads only,
 * one after the other.
 */
public final class PartSpool implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(PartSpool.class);

    private final OpenTransactions owner;
    private final String updateId;
    private final int number;
    private final String sha256;
    private final long byteLength;
    private final Storage storage;
    private final String temporary;
    private final Storage.Sink sink;
    private final MessageDigest digest = Sha256.digest();
    private long receivedBytes;
    private boolean closed;

    PartSpool(OpenTransactions owner, String updateId, int number, String sha256, long byteLength, Storage storage, String temporary)
            throws IOException {
        this.owner = owner;
        this.updateId = updateId;
        this.number = number;
        this.sha256 = sha256;
        this.byteLength = byteLength;
        this.storage = storage;
        this.temporary = temporary;
        this.sink = storage.create(temporary);
    }

    String updateId() {
        return updateId;
    }

    int number() {
        return number;
    }

    String sha256() {
        return sha256;
    }

    String temporary() {
        return temporary;
    }

    /** That the whole part will have. */
    public long byteLength() {
        return byteLength;
    }

    /**
     * Appends a chunk; what remains of the buffer is consumed.
     *
     * @throws AdminException {@code invalid_length} if it is more than was announced, {@code disk_full}, {@code internal}
     */
    public void accept(ByteBuffer chunk) throws AdminException {
        long total = receivedBytes + chunk.remaining();
        if (total > byteLength) {
            throw new AdminException(AdminErrorCode.INVALID_LENGTH,
                    "part too long: part=%d, received_bytes>=%d, announced=%d".formatted(number, total, byteLength));
        }
        try {
            digest.update(chunk.duplicate());
            sink.write(chunk);
        } catch (IOException e) {
            throw Refusals.ofIo("part %d of %s".formatted(number, updateId), e);
        }
        receivedBytes = total;
    }

    /**
     * Ends the part: complete, with the right checksum, durable, and in the place of one of its number that was there before.
     *
     * @throws AdminException {@code invalid_length}, {@code checksum_mismatch}, {@code unknown_update} if the transaction has ended
     *     meanwhile, {@code disk_full}, {@code internal}
     */
    public void finish() throws AdminException {
        if (receivedBytes < byteLength) {
            throw new AdminException(AdminErrorCode.INVALID_LENGTH,
                    "part too short: part=%d, received_bytes=%d, announced=%d".formatted(number, receivedBytes, byteLength));
        }
        String actual = Sha256.hex(digest);
        if (!actual.equals(sha256)) {
            throw new AdminException(AdminErrorCode.CHECKSUM_MISMATCH,
                    "part has another checksum: part=%d, sha256=%s, x-content-sha256=%s".formatted(number, actual, sha256));
        }
        try {
            sink.force();
            sink.close();
            owner.install(this);
            closed = true;
        } catch (IOException e) {
            throw Refusals.ofIo("part %d of %s".formatted(number, updateId), e);
        }
    }

    /** Gives up, unless it is {@linkplain #finish finished}; in any case at the end. */
    @Override
    public void close() {
        try {
            if (!closed) {
                closed = true;
                sink.close();
                storage.delete(temporary);
            }
        } catch (IOException e) {
            log.warn("part could not be removed, the next start will: file={}", temporary, e);
        } finally {
            owner.released(this);
        }
    }
}
