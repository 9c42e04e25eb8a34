package dev.tidestream.model.packed;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.LongConsumer;
import java.util.regex.Pattern;
import java.util.stream.Stream;

import dev.tidestream.model.gguf.ModelSource;
import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.WorkerTeam;

/**
 * A directory of packed panels: one file for each model file that was loaded with it.
 *
 * <p>It is a cache: whatever goes wrong with it costs time and a warning, never a model. What it keeps true:
 * <ul>
 *   <li><b>Never the wrong panels.</b> A file is used only if its front is what the model file, as it is now, demands
 *       ({@link PackedFront}), and every byte of its panels has the checksum that it was written with.
 *   <li><b>Never half a file.</b> It is written under another name, forced to disk, then renamed. What a killed process leaves has a
 *       name that nobody reads, and is removed by the next one that writes here: a writer holds a lock on its file, and the
 *       system ends the lock with the process.
 *   <li><b>Bounded.</b> A model file has one file here, under a name made of its path, and it is removed once the model file
 *       is gone. Nothing is written that would not leave {@value #SPARE_BYTES} bytes free.
 * </ul>
 *
 * <p>Any process may use the directory at the same time. Used by one thread.
 */
public final class PackedCache {
    private static final long SPARE_BYTES = 256L << 20;
    private static final String SUFFIX = ".panels";
    private static final int NAME_CHARS = 80;
    private static final Pattern OURS = Pattern.compile("[\\w.-]+-[0-9a-f]{16}\\.panels");
    private static final Pattern TEMPORARY = Pattern.compile("[\\w.-]+-[0-9a-f]{16}\\.panels\\.[0-9]+-[0-9]+\\.tmp");

    private final Path directory;
    private final boolean wholeSource;
    private final PackedLoad load;
    private final PackedWarnings warnings;
    private final long spareBytes;

    /**
     * A cache in a directory, which is made when something is written.
     *
     * @param wholeSource whether the whole model file is hashed before its panels are used, not only a sample of it
     * @param load how panels that are found become memory
     * @param warnings told, in one line each, why a file could not be used or written
     */
    public PackedCache(Path directory, boolean wholeSource, PackedLoad load, PackedWarnings warnings) {
        this(directory, wholeSource, load, warnings, SPARE_BYTES);
    }

    /** @param spareBytes left free on the disk */
    public PackedCache(
            Path directory, boolean wholeSource, PackedLoad load, PackedWarnings warnings, long spareBytes) {
        this.directory = directory;
        this.wholeSource = wholeSource;
        this.load = load;
        this.warnings = warnings;
        this.spareBytes = spareBytes;
    }

    /**
     * The panels of a model file, if they are here and can be used.
     *
     * @param tensors all that are wanted, in the order in which they were stored
     */
    public Optional<PackedFile> find(ModelSource source, List<PackedTensor> tensors) {
        Optional<FileTime> modified = source.modified();
        if (modified.isEmpty()) {
            return Optional.empty();
        }
        Path path = directory.resolve(fileName(source));
        try {
            PackedFile file = PackedFile.open(
                    path, new PackedFront(SourceStamp.of(source, modified.get()), tensors), load, warnings);
            boolean done = false;
            try {
                if (wholeSource && !file.sourceSha256().equals(source.sha256())) {
                    throw new PackedFileException("the model file has changed since: sha256 differs from " + file.sourceSha256());
                }
                done = true;
                return Optional.of(file);
            } finally {
                if (!done) {
                    file.close();
                }
            }
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (PackedFileException e) {
            refused(path, e);
        } catch (IOException e) {
            warnings.accept("%s: cannot be read: %s; packing anew".formatted(path, warnings.reason(e)));
        }
        return Optional.empty();
    }

    /** Tells that a file is of no use. */
    public void refused(Path path, PackedFileException reason) {
        warnings.accept("%s: not used: %s; packing anew".formatted(path, reason.getMessage()));
    }

    /**
     * Keeps panels for the next time; warns if that is not possible.
     *
     * @param tensors all that are to be found again
     * @param panels of each of them
     * @param progress told how many bytes are written so far
     */
    public void store(
            ModelSource source,
            List<PackedTensor> tensors,
            Function<PackedTensor, PanelMatrix> panels,
            WorkerTeam team,
            LongConsumer progress) {
        Optional<FileTime> modified = source.modified();
        if (modified.isEmpty()) {
            warnings.accept("%s: a model that is no file has no packed panels kept".formatted(source.path()));
            return;
        }
        Path path = directory.resolve(fileName(source));
        PackedFront front = new PackedFront(SourceStamp.of(source, modified.get()), tensors);
        try {
            Files.createDirectories(directory);
            removeLeftovers(path);
            long usableBytes = Files.getFileStore(directory).getUsableSpace();
            if (front.fileBytes() > usableBytes - spareBytes) {
                warnings.accept("%s: not written, the disk is too full: bytes=%d, to_spare=%d, usable_bytes=%d"
                        .formatted(path, front.fileBytes(), spareBytes, usableBytes));
                return;
            }
            int[] checksums = new int[front.chunks()];
            for (PackedFront.Placed placed : front.tensors()) {
                checksums(placed, panels.apply(placed.tensor()).panelData(), checksums, team);
            }
            byte[] bytes = front.toBytes(new PackedFront.Recorded(source.sha256(), checksums));
            write(path, front, bytes, panels, progress);
        } catch (IOException e) {
            warnings.accept("%s: not written: %s".formatted(path, warnings.reason(e)));
        }
    }

    private static void checksums(PackedFront.Placed placed, MemorySegment panels, int[] out, WorkerTeam team) {
        team.forEachRange(placed.chunks(), 1, (from, to) -> {
            for (int chunk = from; chunk < to; chunk++) {
                out[placed.firstChunk() + chunk] = PackedFile.crc(PackedFile.chunk(panels, chunk));
            }
        });
    }

    private void write(
            Path path, PackedFront front, byte[] frontBytes, Function<PackedTensor, PanelMatrix> panels, LongConsumer progress)
            throws IOException {
        Path temporary = path.resolveSibling("%s.%d-%d.tmp"
                .formatted(path.getFileName(), ProcessHandle.current().pid(), Math.abs(System.nanoTime())));
        boolean renamed = false;
        try (FileChannel channel = FileChannel.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            FileLock lock = channel.tryLock();
            if (lock == null) {
                throw new IOException("cannot lock " + temporary);
            }
            PieceWriter writer = new PieceWriter(channel, progress);
            writer.write(ByteBuffer.wrap(frontBytes));
            for (PackedFront.Placed placed : front.tensors()) {
                writer.zerosUpTo(placed.offset());
                MemorySegment data = panels.apply(placed.tensor()).panelData();
                for (int chunk = 0; chunk < placed.chunks(); chunk++) {
                    writer.write(PackedFile.chunk(data, chunk));
                }
            }
            writer.zerosUpTo(front.fileBytes());
            writer.flush();
            channel.force(true);
            Files.move(temporary, path, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            renamed = true;
        } finally {
            if (!renamed) {
                Files.deleteIfExists(temporary);
            }
        }
        forceDirectory();
    }

    private void forceDirectory() throws IOException {
        if (directory.getFileSystem().supportedFileAttributeViews().contains("posix")) { // elsewhere it cannot be opened
            try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
                channel.force(true);
            }
        }
    }

    /** Removes what killed writers have left, and panels of model files that are gone. */
    private void removeLeftovers(Path keep) throws IOException {
        List<Path> files;
        try (Stream<Path> all = Files.list(directory)) {
            files = all.filter(file -> Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS) && !file.equals(keep)).toList();
        }
        for (Path file : files) {
            String name = file.getFileName().toString();
            if ((TEMPORARY.matcher(name).matches() && abandoned(file)) || (OURS.matcher(name).matches() && sourceIsGone(file))) {
                Files.deleteIfExists(file);
            }
        }
    }

    private static boolean abandoned(Path temporary) throws IOException {
        try (FileChannel channel = FileChannel.open(temporary, StandardOpenOption.WRITE); FileLock lock = channel.tryLock()) {
            return lock != null;
        } catch (OverlappingFileLockException e) {
            return false; // this very process writes it
        } catch (NoSuchFileException e) {
            return false; // renamed in the meantime
        }
    }

    private static boolean sourceIsGone(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS)) {
            String source = PackedFront.sourcePath(PackedFile.front(channel, PackedFront.pathEnd()));
            return !source.isEmpty() && Files.notExists(Path.of(source));
        } catch (NoSuchFileException e) {
            return false;
        }
    }

    /** One name for one path: readable, and its own by a hash. */
    public static String fileName(ModelSource source) {
        Path path = source.path().toAbsolutePath();
        String name = String.valueOf(path.getFileName()).replaceAll("[^\\w.-]", "_");
        return "%s-%s%s".formatted(name.substring(0, Math.min(NAME_CHARS, name.length())), shortHash(path.toString()), SUFFIX);
    }

    private static String shortHash(String text) {
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(hash, 0, 8);
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform has SHA-256", e);
        }
    }
}
