package dev.tidestream.server.admin;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.stream.Stream;

import dev.tidestream.console.Reasons;

/** A directory of the file system, locked for this process by a file {@code lock} in it. */
final class DirectoryStorage implements Storage {
    static final String LOCK_FILE = "lock";
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
    static DirectoryStorage open(Path directory) throws DataDirException {
        try {
            if (!Files.isDirectory(directory)) {
                Path absolute = Files.createDirectories(directory.toAbsolutePath());
                if (absolute.getParent() != null) {
                    forceDirectory(absolute.getParent());
                }
            }
            FileChannel lockFile = FileChannel.open(
                    directory.resolve(LOCK_FILE), StandardOpenOption.CREATE, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS);
            if (!lock(lockFile)) {
                lockFile.close();
                throw new DataDirException(
                        DataDirException.Problem.LOCKED, "%s: in use by another server".formatted(directory));
            }
            return new DirectoryStorage(directory, lockFile);
        } catch (IOException e) {
            throw new DataDirException(DataDirException.Problem.IO, "%s: cannot be used: %s".formatted(directory, Reasons.of(e)), e);
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
        FileChannel channel = FileChannel.open(
                path(name),
                StandardOpenOption.CREATE,
                StandardOpenOption.WRITE,
                StandardOpenOption.TRUNCATE_EXISTING,
                LinkOption.NOFOLLOW_LINKS);
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
        if (directory.getFileSystem().supportedFileAttributeViews().contains("posix")) { // elsewhere it cannot be opened
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
