package dev.tidestream.server.admin.store.directory;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.tidestream.console.Reasons;

/**
 * A directory of the file system, locked for this process by a file {@code lock} in it. What is made here, the directory included,
 * is for its owner alone ({@link OwnerOnly}).
 */
public final class DirectoryStorage implements Storage {
    static final String LOCK_FILE = "lock";
    private static final Logger log = LoggerFactory.getLogger(DirectoryStorage.class);
    /** The JDK copies a heap buffer to a direct one of the same size: keep that small. */
    private static final int WRITE_BYTES = 64 << 10;

    private final Path directory;
    private final FileChannel lockFile;

    private DirectoryStorage(Path directory, FileChannel lockFile) {
        this.directory = directory;
        this.lockFile = lockFile;
    }

    /**
     * Creates the directory if it is not there, and locks it.
     *
     * @throws DataDirException if another server has it, or it cannot be written
     */
    public static DirectoryStorage open(Path directory) throws DataDirException {
        FileChannel lockFile = null;
        boolean opened = false;
        try {
            make(directory);
            lockFile = FileChannel.open(
                    directory.resolve(LOCK_FILE),
                    Set.of(StandardOpenOption.CREATE, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS),
                    OwnerOnly.file(directory));
            if (!lock(lockFile)) {
                throw new DataDirException(
                        DataDirException.Problem.LOCKED, "%s: in use by another server".formatted(directory));
            }
            warnOfOthers(directory);
            opened = true;
            return new DirectoryStorage(directory, lockFile);
        } catch (AccessDeniedException e) {
            throw new DataDirException(DataDirException.Problem.IO, "%s: permission denied".formatted(directory), e);
        } catch (FileAlreadyExistsException | NotDirectoryException e) {
            throw new DataDirException(DataDirException.Problem.IO, "%s: no directory".formatted(directory), e);
        } catch (IOException e) {
            throw new DataDirException(DataDirException.Problem.IO, "%s: cannot be used: %s".formatted(directory, Reasons.of(e)), e);
        } finally {
            if (!opened && lockFile != null) {
                closeQuietly(lockFile);
            }
        }
    }

    private static void make(Path directory) throws IOException {
        if (!Files.isDirectory(directory)) {
            Path absolute = Files.createDirectories(directory.toAbsolutePath(), OwnerOnly.directory(directory));
            if (absolute.getParent() != null) {
                forceDirectory(absolute.getParent());
            }
        }
    }

    /** One that was there before is somebody's decision; who reads the log shall know of it. */
    private static void warnOfOthers(Path directory) throws IOException {
        if (OwnerOnly.isKnownTo(directory.getFileSystem())) {
            Set<PosixFilePermission> permissions = Files.getPosixFilePermissions(directory);
            if (!OwnerOnly.holds(permissions)) {
                log.warn("others than its owner may use the data directory: permissions={}; run chmod 700 on it",
                        PosixFilePermissions.toString(permissions));
            }
        }
    }

    private static void closeQuietly(FileChannel lockFile) {
        try {
            lockFile.close();
        } catch (IOException e) {
            log.debug("lock file of a directory that is not used could not be closed", e);
        }
    }

    private static boolean lock(FileChannel lockFile) throws IOException {
        try {
            FileLock lock = lockFile.tryLock();
            return lock != null;
        } catch (OverlappingFileLockException e) {
            return false; // held by this very process
        }
    }

    @Override
    public List<String> list() throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.filter(f -> Files.isRegularFile(f, LinkOption.NOFOLLOW_LINKS))
                    .map(f -> f.getFileName().toString())
                    .sorted()
                    .toList();
        }
    }

    @Override
    public InputStream open(String name) throws IOException {
        return Files.newInputStream(path(name), LinkOption.NOFOLLOW_LINKS);
    }

    @Override
    public long size(String name) throws IOException {
        return Files.size(path(name));
    }

    @Override
    public Sink create(String name) throws IOException {
        Files.deleteIfExists(path(name)); // its permissions, and other names that it has, go with it
        FileChannel channel = FileChannel.open(
                path(name),
                Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS),
                OwnerOnly.file(directory));
        return sink(channel);
    }

    @Override
    public Sink append(String name, long bytes) throws IOException {
        FileChannel channel = FileChannel.open(path(name), Set.of(StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS));
        boolean done = false;
        try {
            channel.truncate(bytes).position(bytes);
            done = true;
            return sink(channel);
        } finally {
            if (!done) {
                channel.close();
            }
        }
    }

    private static Sink sink(FileChannel channel) {
        return new Sink() {
            @Override
            public void write(ByteBuffer bytes) throws IOException {
                int end = bytes.limit();
                while (bytes.position() < end) {
                    bytes.limit(Math.min(end, bytes.position() + WRITE_BYTES));
                    channel.write(bytes);
                }
            }

            @Override
            public void force() throws IOException {
                channel.force(true);
            }

            @Override
            public void close() throws IOException {
                channel.close();
            }
        };
    }

    @Override
    public void rename(String from, String to) throws IOException {
        Files.move(path(from), path(to), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    @Override
    public void delete(String name) throws IOException {
        Files.deleteIfExists(path(name));
    }

    @Override
    public void force() throws IOException {
        forceDirectory(directory);
    }

    private static void forceDirectory(Path directory) throws IOException {
        if (OwnerOnly.isKnownTo(directory.getFileSystem())) { // elsewhere it cannot be opened: a rename is then as durable as the system makes it
            try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
                channel.force(true);
            }
        }
    }

    @Override
    public long usableBytes() throws IOException {
        return Files.getFileStore(directory).getUsableSpace();
    }

    @Override
    public Path path(String name) {
        return directory.resolve(name);
    }

    @Override
    public void close() throws IOException {
        lockFile.close(); // ends the lock, too
    }

    @Override
    public String toString() {
        return directory.toString();
    }
}
