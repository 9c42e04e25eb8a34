package dev.tidestream.model.packed;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.zip.CRC32C;

import org.jspecify.annotations.Nullable;

import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.WorkerTeam;

/**
 * A file of packed panels, open for reading. It stays readable if another process replaces it. One caller at a time.
 *
 * <p>Panels are read into memory of their own, and every byte is held against its checksum on the way, while it is in the cache.
 * Mapping the
 * file instead would save the copy, but pages of a file are rarely huge, and nothing would notice a damaged one.
 */
public final class PackedFile implements AutoCloseable {
    private final Path path;
    private final FileChannel channel;
    private final Map<String, PackedFront.Placed> tensors;
    private final PackedFront.Recorded recorded;

    private PackedFile(Path path, FileChannel channel, PackedFront front, PackedFront.Recorded recorded) {
        this.path = path;
        this.channel = channel;
        this.tensors = front.tensors().stream().collect(Collectors.toMap(placed -> placed.tensor().name(), Function.identity()));
        this.recorded = recorded;
    }

    /**
     * Opens a file, and checks its front.
     *
     * @param expected what the file must say
     * @throws PackedFileException if it says something else, or is damaged
     * @throws IOException also if it is not there
     */
    static PackedFile open(Path path, PackedFront expected) throws IOException, PackedFileException {
        FileChannel channel = FileChannel.open(path, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS);
        boolean done = false;
        try {
            byte[] front = front(channel, expected.frontBytes());
            PackedFile file = new PackedFile(path, channel, expected, expected.check(front, channel.size()));
            done = true;
            return file;
        } finally {
            if (!done) {
                channel.close();
            }
        }
    }

    /** The first bytes of a file, up to so many. */
    static byte[] front(FileChannel channel, int limit) throws IOException {
        ByteBuffer front = ByteBuffer.allocate((int) Math.min(limit, channel.size()));
        while (front.hasRemaining() && channel.read(front, front.position()) >= 0) {
            // goes on where it was
        }
        return front.array();
    }

    /** SHA-256 of the model file that the panels were packed from. */
    public String sourceSha256() {
        return recorded.sourceSha256();
    }

    /** Where it is. */
    public Path path() {
        return path;
    }

    /**
     * Reads a matrix into new memory, split over the team.
     *
     * @param name of one of the tensors it was opened with
     * @throws PackedFileException if the bytes are not those that were written, or cannot be read
     */
    public PanelMatrix read(String name, SegmentAllocator memory, WorkerTeam team) throws PackedFileException {
        PackedFront.Placed placed = tensors.get(name);
        if (placed == null) {
            throw new IllegalArgumentException("%s: no such tensor: %s".formatted(path, name));
        }
        PackedTensor tensor = placed.tensor();
        MemorySegment panels = memory.allocate(tensor.bytes(), PanelMatrix.ALIGNMENT_BYTES);
        AtomicReference<@Nullable PackedFileException> failed = new AtomicReference<>();
        team.forEachRange(placed.chunks(), 1, (from, to) -> {
            for (int chunk = from; chunk < to && failed.get() == null; chunk++) {
                try {
                    readChunk(placed, chunk, panels);
                } catch (PackedFileException e) {
                    failed.compareAndSet(null, e);
                }
            }
        });
        PackedFileException first = failed.get();
        if (first != null) {
            throw first;
        }
        return PanelMatrix.ofPanels(tensor.format(), tensor.rows(), tensor.columns(), panels);
    }

    private void readChunk(PackedFront.Placed placed, int chunk, MemorySegment panels) throws PackedFileException {
        ByteBuffer target = chunk(panels, chunk);
        long from = placed.offset() + (long) chunk * PackedFront.CHUNK_BYTES;
        try {
            while (target.hasRemaining()) {
                if (channel.read(target, from + target.position()) < 0) {
                    throw new PackedFileException("it ends at %d".formatted(from + target.position()));
                }
            }
        } catch (IOException e) {
            throw new PackedFileException("it cannot be read at %d: %s".formatted(from, e.getMessage()), e);
        }
        if (crc(target.flip()) != recorded.checksums()[placed.firstChunk() + chunk]) {
            throw new PackedFileException("it is damaged between %d and %d".formatted(from, from + target.limit()));
        }
    }

    /** A part of a tensor's panels that has a checksum of its own. */
    static ByteBuffer chunk(MemorySegment panels, int chunk) {
        long from = (long) chunk * PackedFront.CHUNK_BYTES;
        return panels.asSlice(from, Math.min(PackedFront.CHUNK_BYTES, panels.byteSize() - from)).asByteBuffer();
    }

    static int crc(ByteBuffer bytes) {
        CRC32C crc = new CRC32C();
        crc.update(bytes);
        return (int) crc.getValue();
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw new UncheckedIOException("%s: cannot close: %s".formatted(path, e.getMessage()), e);
        }
    }
}
