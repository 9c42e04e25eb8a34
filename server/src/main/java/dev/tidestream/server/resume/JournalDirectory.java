package dev.tidestream.server.resume;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.regex.Pattern;
import java.util.stream.Stream;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A file for each stream, in a directory that only this process uses. One thread writes, {@value #GATHER_MS} ms after there is something
 * to write, all that has come meanwhile: else each token would open a file. What it has written survives the process, however that ends; it is
 * not forced to the disk, so not the machine.
 */
public final class JournalDirectory implements StreamJournal, AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(JournalDirectory.class);
    private static final String SUFFIX = ".stream";
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_-]{22}" + Pattern.quote(SUFFIX));
    private static final FileAttribute<?>[] NONE = {};
    private static final int GATHER_MS = 100;

    private final Path directory;
    private final long maxBytes;
    private final JournalLines lines;
    private final ScheduledExecutorService writer = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().name("tidestream-journal").daemon().factory());
    private final ConcurrentLinkedQueue<Runnable> tasks = new ConcurrentLinkedQueue<>();
    private final AtomicBoolean scheduled = new AtomicBoolean();
    private final Map<String, Long> sizes = new HashMap<>(); // the writer's, once it runs
    private long bytes;
    private boolean full; // was said

    /**
     * @param directory made if it is not there
     * @param maxBytes most bytes of all files; what would go beyond is not written
     * @param precision what this process computes with: pinned streams of another go on nowhere
     * @throws IOException if it cannot be used
     */
    public JournalDirectory(Path directory, long maxBytes, String precision) throws IOException {
        this.directory = directory;
        this.maxBytes = maxBytes;
        this.lines = new JournalLines(precision);
        if (!Files.isDirectory(directory)) {
            Files.createDirectory(directory, ownerOnly("rwx------"));
        }
    }

    private FileAttribute<?>[] ownerOnly(String permissions) {
        return directory.getFileSystem().supportedFileAttributeViews().contains("posix")
                ? new FileAttribute<?>[] {PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(permissions))} : NONE;
    }

    private record Found(Path path, BasicFileAttributes attributes) {}

    @Override
    public List<StreamRecord> read(int most) {
        List<StreamRecord> records = new ArrayList<>();
        try {
            for (Found found : newestFirst()) {
                StreamRecord record = records.size() < most && bytes + found.attributes.size() <= maxBytes ? read(found.path) : null;
                if (record == null) {
                    Files.delete(found.path);
                } else {
                    records.add(record);
                    sizes.put(record.identity().handle(), found.attributes.size());
                    bytes += found.attributes.size();
                }
            }
        } catch (IOException e) {
            log.warn("streams of the process before are lost: directory={}: {}", directory, e.toString());
        }
        return records;
    }

    private List<Found> newestFirst() throws IOException {
        List<Found> found = new ArrayList<>();
        try (Stream<Path> files = Files.list(directory)) {
            for (Path path : (Iterable<Path>) files::iterator) {
                BasicFileAttributes attributes = Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
                if (attributes.isRegularFile() && NAME.matcher(path.getFileName().toString()).matches()) {
                    found.add(new Found(path, attributes));
                }
            }
        }
        found.sort(Comparator.comparing((Found file) -> file.attributes.lastModifiedTime()).reversed());
        return found;
    }

    private @Nullable StreamRecord read(Path path) {
        String name = path.getFileName().toString();
        try {
            String text = Files.readString(path);
            int whole = text.lastIndexOf('\n');
            return lines.read(name.substring(0, name.length() - SUFFIX.length()), text.substring(0, Math.max(0, whole)).lines().toList());
        } catch (IOException e) {
            log.warn("a stream of the process before is lost: file={}: {}", path, e.toString());
            return null;
        }
    }

    @Override
    public void changed(ResumableStream stream) {
        later(() -> append(stream));
    }

    @Override
    public void ended(ResumableStream stream) {
        later(() -> delete(stream.identity().handle()));
    }

    private void later(Runnable task) {
        tasks.add(task);
        if (scheduled.compareAndSet(false, true) && !writer.isShutdown()) {
            var _ = writer.schedule(this::work, GATHER_MS, TimeUnit.MILLISECONDS);
        }
    }

    private void work() {
        scheduled.set(false);
        for (Runnable task = tasks.poll(); task != null; task = tasks.poll()) {
            task.run();
        }
    }

    private Path file(String handle) {
        return directory.resolve(handle + SUFFIX);
    }

    private void append(ResumableStream stream) {
        String handle = stream.identity().handle();
        StreamRecord.Piece piece = stream.takeUnwritten();
        Long size = sizes.get(handle);
        if (piece.accepted() == null && size == null) {
            return; // its begin was not written, or it is over
        }
        byte[] text = lines.of(stream.identity(), piece).getBytes(StandardCharsets.UTF_8);
        if (bytes + text.length > maxBytes) {
            if (!full) {
                log.warn("streams do not survive a restart any more, too much is written of others: bytes={}, limit={}", bytes, maxBytes);
            }
            full = true;
            delete(handle);
            return;
        }
        try {
            if (size == null) {
                Files.newByteChannel(file(handle), Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE), ownerOnly("rw-------")).close();
            }
            Files.write(file(handle), text, StandardOpenOption.WRITE, StandardOpenOption.APPEND);
            sizes.merge(handle, (long) text.length, Long::sum);
            bytes += text.length;
            full = false;
        } catch (IOException e) {
            log.error("a stream does not survive a restart, it cannot be written: file={}", file(handle), e);
            delete(handle);
        }
    }

    private void delete(String handle) {
        Long size = sizes.remove(handle);
        bytes -= size == null ? 0 : size;
        try {
            Files.deleteIfExists(file(handle));
        } catch (IOException e) {
            log.error("a file of a stream cannot be deleted: file={}", file(handle), e);
        }
    }

    /** Waits until all is written. */
    @Override
    public void close() throws IOException {
        writer.execute(this::work);
        writer.shutdown();
        try {
            if (!writer.awaitTermination(1, TimeUnit.MINUTES)) {
                throw new IOException("streams are still being written: directory=" + directory);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
