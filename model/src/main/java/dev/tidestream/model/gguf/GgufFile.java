package dev.tidestream.model.gguf;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Collections;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;

import org.jspecify.annotations.Nullable;

/**
 * A GGUF file (version 2 or 3, little-endian), memory-mapped and read-only. All that its front says was checked against its
 * size when it was opened, so {@link #data} never leaves the file. Immutable until closed; any thread may read, and close it
 * when no other thread reads.
 *
 * <p>A file that another process truncates while it is mapped makes the JVM throw {@link InternalError} where it is read:
 * replace model files by renaming, do not overwrite them.
 */
public final class GgufFile implements AutoCloseable {
    /** Weights are read as longs and floats; a page of a mapping, or an arena's allocation, begins at such an address. */
    private static final long MIN_IMAGE_ALIGNMENT_BYTES = 8;

    private static final long DIGEST_BYTES = 1 << 20;

    private final Path path;
    private final @Nullable Arena arena; // of the mapping; null for an image of the caller's
    private final MemorySegment image;
    private final GgufParser.Front front;

    private GgufFile(Path path, @Nullable Arena arena, MemorySegment image, GgufParser.Front front) {
        this.path = path;
        this.arena = arena;
        this.image = image;
        this.front = front;
    }

    /**
     * Maps a file and reads its front.
     *
     * @throws GgufException if it is not there, or no valid GGUF file
     * @throws UncheckedIOException if the system cannot read it
     */
    @SuppressWarnings("MustBeClosedChecker") // close() of the result closes it
    public static GgufFile open(Path path) {
        if (Files.exists(path) && !Files.isRegularFile(path)) { // opening a pipe would wait for a writer
            throw new GgufException("%s: a directory or device, not a GGUF file".formatted(path));
        }
        Arena arena = Arena.ofShared();
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            MemorySegment image = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
            return new GgufFile(path, arena, image, GgufParser.parse(image, path.toString()));
        } catch (NoSuchFileException e) {
            arena.close();
            throw new GgufException("%s: no such file".formatted(path), e);
        } catch (IOException e) {
            arena.close();
            throw new UncheckedIOException("%s: cannot read: %s".formatted(path, e.getMessage()), e);
        } catch (RuntimeException | Error e) {
            arena.close();
            throw e;
        }
    }

    /**
     * Reads the front of a file that is in memory already. The memory stays the caller's, also after {@link #close}.
     *
     * @param image the whole file, in memory that begins at an 8-byte boundary (an arena's allocation does)
     * @param name stands for the path, in messages
     * @throws GgufException if it is no valid GGUF file
     */
    public static GgufFile of(MemorySegment image, String name) {
        if (image.maxByteAlignment() < MIN_IMAGE_ALIGNMENT_BYTES) {
            throw new IllegalArgumentException("%s: image must be aligned to %d bytes: alignment=%d"
                    .formatted(name, MIN_IMAGE_ALIGNMENT_BYTES, image.maxByteAlignment()));
        }
        MemorySegment readOnly = image.asReadOnly();
        return new GgufFile(Path.of(name), null, readOnly, GgufParser.parse(readOnly, name));
    }

    /** Where the file is; for an image in memory, its name. */
    public Path path() {
        return path;
    }

    /** 2 or 3. */
    public int version() {
        return front.version();
    }

    public GgufMetadata metadata() {
        return front.metadata();
    }

    /** All tensors by name, in the order of the file. */
    public Map<String, GgufTensor> tensors() {
        return Collections.unmodifiableMap(front.tensors());
    }

    /**
     * The tensor of this name.
     *
     * @throws GgufException if there is none
     */
    public GgufTensor tensor(String name) {
        return findTensor(name)
                .orElseThrow(() -> new GgufException("%s: tensor '%s' is missing".formatted(path, Cursor.quote(name))));
    }

    public Optional<GgufTensor> findTensor(String name) {
        return Optional.ofNullable(front.tensors().get(name));
    }

    /** The bytes of a tensor of this file, read-only, valid until the file is closed. */
    public MemorySegment data(GgufTensor tensor) {
        return image.asSlice(tensor.offsetBytes(), tensor.bytes());
    }

    /** Length of the file. */
    public long fileBytes() {
        return image.byteSize();
    }

    /** SHA-256 of the whole file, 64 lower-case hexadecimal digits. Reads all of it. */
    public String sha256() {
        MessageDigest digest;
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform has SHA-256", e);
        }
        for (long from = 0; from < image.byteSize(); from += DIGEST_BYTES) {
            digest.update(image.asSlice(from, Math.min(DIGEST_BYTES, image.byteSize() - from)).asByteBuffer());
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    /** Unmaps the file: its data can be read no longer. A second call does nothing. */
    @Override
    public void close() {
        if (arena != null && arena.scope().isAlive()) {
            arena.close();
        }
    }
}
