package dev.tidestream.model.gguf;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Collections;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.zip.CRC32C;

import org.jspecify.annotations.Nullable;

/**
 * A GGUF file (version 2 or 3, little-endian), memory-mapped and read-only. All that its front says was checked against its
 * size when it was opened, so {@link #data} never leaves the file. Its content does not change until closed; any thread may
 * read, and close it when no other thread reads.
 *
 * <p>A file that another process truncates while it is mapped makes the JVM throw {@link InternalError} where it is read:
 * replace model files by renaming, do not overwrite them.
 */
public final class GgufFile implements AutoCloseable {
    /** Weights are read as longs and floats; a page of a mapping, or an arena's allocation, begins at such an address. */
    private static final long MIN_IMAGE_ALIGNMENT_BYTES = 8;

    private static final long DIGEST_BYTES = 1 << 20;
    private static final long SAMPLE_BYTES = 4096;
    private static final int SAMPLES = 3; // of a tensor

    private final Path path;
    private final @Nullable Arena arena; // of the mapping; null for an image of the caller's
    private final @Nullable FileTime modified; // null for an image
    private final MemorySegment image;
    private final GgufParser.Front front;
    private volatile @Nullable String sha256;

    private GgufFile(
            Path path, @Nullable Arena arena, @Nullable FileTime modified, MemorySegment image, GgufParser.Front front) {
        this.path = path;
        this.arena = arena;
        this.modified = modified;
        this.image = image;
        this.front = front;
    }

    /**
     * Maps a file and reads its front.
     *
     * @throws GgufException if it is not there, or no valid GGUF file
     * @throws UncheckedIOException if the system cannot read it; its cause says why
     */
    @SuppressWarnings("MustBeClosedChecker") // close() of the result closes it
    public static GgufFile open(Path path) {
        if (Files.exists(path) && !Files.isRegularFile(path)) { // opening a pipe would wait for a writer
            throw new GgufException("%s: a directory or device, not a GGUF file".formatted(path));
        }
        Arena arena = Arena.ofShared();
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            MemorySegment image = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
            FileTime modified = Files.getLastModifiedTime(path);
            return new GgufFile(path, arena, modified, image, GgufParser.parse(image, path.toString()));
        } catch (NoSuchFileException e) {
            arena.close();
            throw new GgufException("%s: no such file".formatted(path), e);
        } catch (IOException e) {
            arena.close();
            throw new UncheckedIOException("%s: cannot be read".formatted(path), e);
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
        return new GgufFile(Path.of(name), null, null, readOnly, GgufParser.parse(readOnly, name));
    }

    /** Where the file is; for an image in memory, its name. */
    public Path path() {
        return path;
    }

    /** When the file was last changed, as of opening it; none for an image in memory. */
    public Optional<FileTime> modified() {
        return Optional.ofNullable(modified);
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

    /** Says that a tensor is going to be read soon, so that the system may begin to fetch it from disk. */
    public void willNeed(GgufTensor tensor) {
        if (arena != null) {
            MappedPages.willNeed(data(tensor));
        }
    }

    /**
     * Lets go of a tensor's pages: they no longer count as this process's resident memory. Its data may be read again, which
     * costs page faults.
     */
    public void release(GgufTensor tensor) {
        if (arena != null) {
            MappedPages.release(data(tensor));
        }
    }

    /** Lets go of all pages. What is read later is read from the file again. */
    public void releaseAll() {
        if (arena != null) {
            MappedPages.release(image);
        }
    }

    /** Length of the file. */
    public long fileBytes() {
        return image.byteSize();
    }

    /**
     * SHA-256 of the whole file, 64 lower-case hexadecimal digits. Reads all of it once, and lets go of its pages; not if it
     * {@linkplain #identify is known}.
     */
    public String sha256() {
        String known = sha256;
        if (known == null) {
            MessageDigest digest = newDigest();
            for (long from = 0; from < image.byteSize(); from += DIGEST_BYTES) {
                MemorySegment part = image.asSlice(from, Math.min(DIGEST_BYTES, image.byteSize() - from));
                digest.update(part.asByteBuffer());
                if (arena != null) {
                    MappedPages.release(part);
                }
            }
            known = HexFormat.of().formatHex(digest.digest());
            sha256 = known;
        }
        return known;
    }

    /**
     * Says what {@link #sha256} is, by somebody who wrote it down when the file was read and has reason to think that it is the
     * same.
     */
    public void identify(String knownSha256) {
        sha256 = knownSha256;
    }

    /**
     * SHA-256 of the CRC-32C of all that stands before the tensors' data, and of those of the beginning, the middle and the end of
     * each tensor, 4 KB each: 64 lower-case hexadecimal digits. Takes milliseconds, also in a JVM that has just started: there
     * CRC-32C of the 5 MB of a large vocabulary's front takes 1.5 ms and SHA-256 of it 100, measured. Tells one model from
     * another, but not from itself with a few values changed.
     */
    public String sampleHash() {
        long frontBytes =
                front.tensors().values().stream().mapToLong(GgufTensor::offsetBytes).min().orElse(image.byteSize());
        ByteBuffer checksums = ByteBuffer.allocate(Integer.BYTES * (1 + SAMPLES * front.tensors().size()));
        checksums.putInt(crc(0, frontBytes));
        for (GgufTensor tensor : front.tensors().values()) {
            long bytes = Math.min(SAMPLE_BYTES, tensor.bytes());
            long spare = tensor.bytes() - bytes;
            for (int i = 0; i < SAMPLES; i++) {
                checksums.putInt(crc(tensor.offsetBytes() + spare * i / (SAMPLES - 1), bytes));
            }
        }
        return HexFormat.of().formatHex(newDigest().digest(checksums.array()));
    }

    private int crc(long from, long bytes) {
        CRC32C crc = new CRC32C();
        crc.update(image.asSlice(from, bytes).asByteBuffer());
        return (int) crc.getValue();
    }

    private static MessageDigest newDigest() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform has SHA-256", e);
        }
    }

    /** Unmaps the file: its data can be read no longer. A second call does nothing. */
    @Override
    public void close() {
        if (arena != null && arena.scope().isAlive()) {
            arena.close();
        }
    }
}
