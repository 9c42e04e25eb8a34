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
import java.nio.file.attribute.FileTime;

import org.jspecify.annotations.Nullable;

/**
 * One file on disk, or one image in memory: its bytes, and what its front says of them. A {@link GgufFile} has one, or several.
 *
 * @param path of the file; of an image, its name
 * @param arena of the mapping; null for an image of the caller's
 * @param modified when the file was last changed; null for an image
 * @param image all bytes, read-only
 */
record GgufPart(
        Path path, @Nullable Arena arena, @Nullable FileTime modified, MemorySegment image, GgufParser.Front front)
        implements AutoCloseable {

    /**
     * Maps a file and reads its front.
     *
     * @throws GgufException if it is not there, or no valid GGUF file
     * @throws UncheckedIOException if the system cannot read it; its cause says why
     */
    @SuppressWarnings("MustBeClosedChecker") // close() of the result closes it
    static GgufPart map(Path path) {
        if (Files.exists(path) && !Files.isRegularFile(path)) { // opening a pipe would wait for a writer
            throw new GgufException("%s: a directory or device, not a GGUF file".formatted(path));
        }
        Arena arena = Arena.ofShared();
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            MemorySegment image = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
            FileTime modified = Files.getLastModifiedTime(path);
            return new GgufPart(path, arena, modified, image, GgufParser.parse(image, path.toString()));
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
     * Reads the front of an image. The memory stays the caller's.
     *
     * @throws GgufException if it is no valid GGUF file
     */
    static GgufPart of(MemorySegment image, String name) {
        MemorySegment readOnly = image.asReadOnly();
        return new GgufPart(Path.of(name), null, null, readOnly, GgufParser.parse(readOnly, name));
    }

    GgufMetadata metadata() {
        return front.metadata();
    }

    /** The bytes of one of its tensors. */
    MemorySegment data(GgufTensor tensor) {
        return image.asSlice(tensor.offsetBytes(), tensor.bytes());
    }

    /** Bytes before the data of its tensors. */
    long frontBytes() {
        return front.tensors().values().stream().mapToLong(GgufTensor::offsetBytes).min().orElse(image.byteSize());
    }

    /** Tells the system that some of the bytes are going to be read soon. */
    void willNeed(MemorySegment bytes) {
        if (arena != null) {
            MappedPages.willNeed(bytes);
        }
    }

    /** Lets go of the pages of some of the bytes. */
    void release(MemorySegment bytes) {
        if (arena != null) {
            MappedPages.release(bytes);
        }
    }

    /** Unmaps the file. A second call does nothing. */
    @Override
    public void close() {
        if (arena != null && arena.scope().isAlive()) {
            arena.close();
        }
    }
}
