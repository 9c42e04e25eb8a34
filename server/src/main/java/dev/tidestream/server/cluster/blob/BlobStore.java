package dev.tidestream.server.cluster.blob;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.tidestream.server.admin.store.directory.OwnerOnly;
import dev.tidestream.server.admin.store.directory.Sha256;
import dev.tidestream.server.cluster.blob.BlobException.Problem;

/**
 * A directory of blobs. A file whose name is a SHA-256 has the bytes of that checksum and is durable; one with {@code .part} behind is on
 * its way, and goes on where it stopped, also after a restart:
 *
 * <pre>
 * SHA.part    bytes arrive       checksum of all of them, fsync
 * SHA       ◄ rename             fsync of the directory
 *                                acknowledged
 * </pre>
 *
 * Any thread; blocks on the disk.
 */
public final class BlobStore {
    private static final Logger log = LoggerFactory.getLogger(BlobStore.class);
    private static final Pattern SHA_256 = Pattern.compile("[0-9a-f]{64}");
    private static final String PART = ".part";

    private final Path directory;
    private final Limits limits;
    private final Set<String> receiving = new HashSet<>(); // guarded by itself, as is keptBytes
    private long keptBytes;

    /**
     * How much is kept.
     *
     * @param maxBlobBytes of one blob
     * @param maxTotalBytes of all, complete or not
     * @param maxReceiving at once
     */
    public record Limits(long maxBlobBytes, long maxTotalBytes, int maxReceiving) {}

    private BlobStore(Path directory, Limits limits, long keptBytes) {
        this.directory = directory;
        this.limits = limits;
        this.keptBytes = keptBytes;
    }

    /** Opens a directory, or makes it one, for its owner alone. */
    public static BlobStore open(Path directory, Limits limits) throws IOException {
        var _ = Files.createDirectories(directory, OwnerOnly.directory(directory));
        long bytes = 0;
        try (Stream<Path> files = Files.list(directory)) {
            for (Path file : files.toList()) {
                bytes += Files.size(file);
            }
        }
        return new BlobStore(directory, limits, bytes);
    }

    /** Whether text is a name of a blob. */
    public static boolean isName(String text) {
        return SHA_256.matcher(text).matches();
    }

    private Path file(String sha256) {
        if (!isName(sha256)) {
            throw new IllegalArgumentException("not a SHA-256: " + sha256);
        }
        return directory.resolve(sha256);
    }

    /** Where a complete blob is; must not be changed. */
    public Optional<Path> find(String sha256) {
        Path file = file(sha256);
        return Files.isRegularFile(file) ? Optional.of(file) : Optional.empty();
    }

    /** How much of an incomplete blob is there. */
    public long receivedBytes(String sha256) throws IOException {
        Path part = file(sha256).resolveSibling(sha256 + PART);
        return Files.exists(part) ? Files.size(part) : 0;
    }

    /** Names of all complete blobs. */
    public List<String> list() throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.map(file -> file.getFileName().toString()).filter(BlobStore::isName).sorted().toList();
        }
    }

    /** Bytes of all files. */
    public long keptBytes() {
        synchronized (receiving) {
            return keptBytes;
        }
    }

    /**
     * Keeps bytes; durable when this returns.
     *
     * @return their checksum
     */
    public String add(byte[] bytes) throws IOException {
        String sha256 = Sha256.of(bytes);
        if (find(sha256).isEmpty()) {
            try (Receiving receiving = receive(sha256, bytes.length)) {
                receiving.restart();
                receiving.write(ByteBuffer.wrap(bytes));
                receiving.finish();
            }
        }
        return sha256;
    }

    /**
     * Keeps a file's bytes: as another name of the file where the system can do that, else as a copy.
     *
     * @param file durable, of that checksum, and never changed
     */
    public void add(String sha256, Path file) throws IOException {
        if (find(sha256).isPresent()) {
            return;
        }
        try (Receiving receiving = receive(sha256, Files.size(file))) {
            receiving.takeOver(file);
        }
    }

    /**
     * Begins to receive a blob, or goes on with it.
     *
     * @param bytes that it has
     * @throws BlobException if it is too much, or is being received
     */
    public Receiving receive(String sha256, long bytes) throws IOException {
        Path file = file(sha256);
        long before = receivedBytes(sha256);
        synchronized (receiving) {
            if (bytes > limits.maxBlobBytes() || bytes - before > limits.maxTotalBytes() - keptBytes) {
                throw new BlobException(Problem.TOO_LARGE, "blob is more than may be kept: bytes=%d, blob_limit=%d, kept_bytes=%d, limit=%d"
                        .formatted(bytes, limits.maxBlobBytes(), keptBytes, limits.maxTotalBytes()));
            }
            if (receiving.contains(sha256) || receiving.size() >= limits.maxReceiving()) {
                throw new BlobException(Problem.BUSY, "too many blobs are received, or this one is: receiving=%d, limit=%d"
                        .formatted(receiving.size(), limits.maxReceiving()));
            }
            receiving.add(sha256);
            keptBytes += bytes - before;
        }
        boolean opened = false;
        try {
            long usable = Files.getFileStore(directory).getUsableSpace();
            if (bytes - before > usable) {
                throw new BlobException(Problem.DISK_FULL, "disk too full: bytes=%d, usable_bytes=%d".formatted(bytes - before, usable));
            }
            Receiving made = new Receiving(sha256, file, bytes);
            opened = true;
            return made;
        } finally {
            if (!opened) {
                end(sha256, before - bytes);
            }
        }
    }

    private void end(String sha256, long change) {
        synchronized (receiving) {
            receiving.remove(sha256);
            keptBytes += change;
        }
    }

    /** A blob on its way in. One thread at a time. */
    public final class Receiving implements AutoCloseable {
        private final String sha256;
        private final Path file;
        private final Path part;
        private final long bytes;
        private final FileChannel channel;
        private long received;
        private boolean closed;

        private Receiving(String sha256, Path file, long bytes) throws IOException {
            this.sha256 = sha256;
            this.file = file;
            this.bytes = bytes;
            part = file.resolveSibling(sha256 + PART);
            channel = FileChannel.open(part, Set.of(StandardOpenOption.CREATE, StandardOpenOption.WRITE), OwnerOnly.file(directory));
            received = channel.size();
            if (received > bytes) {
                restart();
            }
        }

        /** How much is there. */
        public long receivedBytes() {
            return received;
        }

        /** Forgets what is there. */
        public void restart() throws IOException {
            var _ = channel.truncate(0);
            received = 0;
        }

        /** Appends; what remains of the buffer is consumed. */
        public void write(ByteBuffer chunk) throws IOException {
            if (received + chunk.remaining() > bytes) {
                throw new BlobException(Problem.DIFFERENT, "more bytes than announced: bytes=%d, announced=%d"
                        .formatted(received + chunk.remaining(), bytes));
            }
            while (chunk.hasRemaining()) {
                received += channel.write(chunk, received);
            }
        }

        /**
         * All bytes are there: the blob is complete and durable when this returns.
         *
         * @throws BlobException if they have another checksum; then nothing of them is left
         */
        public void finish() throws IOException {
            channel.force(true);
            String actual;
            try (InputStream in = Files.newInputStream(part)) {
                actual = Sha256.of(in);
            }
            if (!actual.equals(sha256)) {
                restart();
                throw new BlobException(Problem.DIFFERENT, "blob has another checksum: sha256=%s, announced=%s, bytes=%d"
                        .formatted(actual, sha256, bytes));
            }
            publish();
        }

        private void takeOver(Path source) throws IOException {
            Files.delete(part);
            try {
                var _ = Files.createLink(part, source);
                received = bytes;
                publish();
            } catch (UnsupportedOperationException | FileSystemException e) {
                log.debug("a blob is copied, since it cannot have two names: file={}", source, e);
                copy(source);
            }
        }

        private void copy(Path source) throws IOException {
            try (InputStream in = Files.newInputStream(source);
                    FileChannel copy = FileChannel.open(part, Set.of(StandardOpenOption.CREATE, StandardOpenOption.WRITE,
                            StandardOpenOption.TRUNCATE_EXISTING), OwnerOnly.file(directory))) {
                var _ = in.transferTo(Channels.newOutputStream(copy));
                copy.force(true);
            }
            received = bytes;
            publish();
        }

        private void publish() throws IOException {
            var _ = Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            forceDirectory();
        }

        private void forceDirectory() throws IOException {
            if (OwnerOnly.isKnownTo(directory.getFileSystem())) {
                try (FileChannel opened = FileChannel.open(directory, StandardOpenOption.READ)) {
                    opened.force(true);
                }
            }
        }

        /** What came so far stays, to be gone on with. A second call does nothing. */
        @Override
        public void close() throws IOException {
            if (!closed) {
                closed = true;
                try {
                    channel.close();
                } finally {
                    end(sha256, received - bytes);
                }
            }
        }
    }
}
