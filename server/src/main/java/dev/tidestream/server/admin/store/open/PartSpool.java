package dev.tidestream.server.admin.store.open;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.security.MessageDigest;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.admin.Refusals;
import dev.tidestream.server.admin.store.directory.Sha256;
import dev.tidestream.server.admin.store.directory.Storage;

/**
 * A part of a transaction on its way to disk: chunks are appended to a file and hashed as they come. What has not come to its end is
 * removed, or kept to be gone on with. Blocks; worker threads only, one after the other.
 */
public final class PartSpool implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(PartSpool.class);

    private final OpenTransactions owner;
    private final String updateId;
    private final OpenHalf part;
    private final boolean kept;
    private final Storage storage;
    private final MessageDigest digest = Sha256.digest();
    private @Nullable InputStream before;
    private Storage.@Nullable Sink sink;
    private volatile long receivedBytes; // changed by one thread at a time
    private boolean wrong;
    private boolean closed;

    /**
     * @param part what it is to be, how much of it is there, and in which file
     * @param kept whether it may be gone on with after it was given up
     */
    PartSpool(OpenTransactions owner, String updateId, OpenHalf part, boolean kept, Storage storage) throws IOException {
        this.owner = owner;
        this.updateId = updateId;
        this.part = part;
        this.kept = kept;
        this.storage = storage;
        if (part.received() == 0) {
            sink = storage.create(part.fileName());
        }
    }

    String updateId() {
        return updateId;
    }

    /** What it is, with as much of it as has come. */
    OpenHalf part() {
        return part.with(receivedBytes);
    }

    boolean kept() {
        return kept;
    }

    /** What has come is of no use. */
    boolean wrong() {
        return wrong;
    }

    /** That the whole part will have. */
    public long byteLength() {
        return part.bytes();
    }

    /**
     * Hashes the next bytes of what is there from before; to be called before anything else, until it is done.
     *
     * @param bytes at most
     * @return whether there are more
     * @throws AdminException {@code internal}, if they cannot be read
     */
    public boolean takeUp(int bytes) throws AdminException {
        if (sink != null) {
            return false;
        }
        try {
            InputStream from = before;
            if (from == null) {
                from = storage.open(part.fileName());
                before = from;
            }
            byte[] read = from.readNBytes((int) Math.min(bytes, part.received() - receivedBytes));
            digest.update(read);
            long total = receivedBytes + read.length;
            receivedBytes = total;
            if (read.length == 0) {
                throw new IOException("shorter than it was: bytes=%d, of=%d".formatted(total, part.received()));
            }
            if (total == part.received()) {
                from.close();
                sink = storage.append(part.fileName(), total);
            }
            return sink == null;
        } catch (IOException e) {
            wrong = true;
            throw Refusals.ofIo(name(), e);
        }
    }

    private String name() {
        return "part %d of %s".formatted(part.number(), updateId);
    }

    private Storage.Sink sink() {
        Storage.Sink to = sink;
        if (to == null) {
            throw new IllegalStateException("what is there from before is to be hashed first: " + name());
        }
        return to;
    }

    /**
     * Appends a chunk; what remains of the buffer is consumed.
     *
     * @throws AdminException {@code invalid_length} if it is more than was announced, {@code disk_full}, {@code internal}
     */
    public void accept(ByteBuffer chunk) throws AdminException {
        long total = receivedBytes + chunk.remaining();
        if (total > part.bytes()) {
            wrong = true;
            throw new AdminException(AdminErrorCode.INVALID_LENGTH,
                    "part too long: part=%d, received_bytes>=%d, announced=%d".formatted(part.number(), total, part.bytes()));
        }
        try {
            digest.update(chunk.duplicate());
            sink().write(chunk);
        } catch (IOException e) {
            throw Refusals.ofIo(name(), e);
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
        if (receivedBytes < part.bytes()) {
            throw new AdminException(AdminErrorCode.INVALID_LENGTH,
                    "part too short: part=%d, received_bytes=%d, announced=%d".formatted(part.number(), receivedBytes, part.bytes()));
        }
        String actual = Sha256.hex(digest);
        if (!actual.equals(part.sha256())) {
            wrong = true;
            throw new AdminException(AdminErrorCode.CHECKSUM_MISMATCH,
                    "part has another checksum: part=%d, sha256=%s, announced=%s".formatted(part.number(), actual, part.sha256()));
        }
        try {
            sink().force();
            sink().close();
            owner.install(this);
            closed = true;
        } catch (IOException e) {
            throw Refusals.ofIo(name(), e);
        }
    }

    /** Gives up, unless it is {@linkplain #finish finished}; in any case at the end. */
    @Override
    public void close() {
        boolean gaveUp = !closed;
        try {
            if (gaveUp) {
                closed = true;
                closeFiles();
                if (!kept || wrong) {
                    storage.delete(part.fileName());
                }
            }
        } catch (IOException e) {
            log.warn("part could not be removed, the next start will: file={}", part.fileName(), e);
        } finally {
            owner.released(this, gaveUp);
        }
    }

    private void closeFiles() throws IOException {
        if (before != null) {
            before.close();
        }
        if (sink != null) {
            sink.close();
        }
    }
}
