package dev.tidestream.model.packed;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
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
import dev.tidestream.model.tensor.PanelSlab;
import dev.tidestream.model.tensor.WorkerTeam;

/**
 * A file of packed panels, open for reading. It stays readable if another process replaces it. One caller at a time.
 *
 * <p>Panels are mapped, or read into memory of their own. In either case every byte is held against its checksum once, before it is
 * used. A mapping outlives the closing of the file.
 */
public final class PackedFile implements AutoCloseable {
    private final Path path;
    private final FileChannel channel;
    private final Map<String, PackedFront.Placed> tensors;
    private final PackedFront.Recorded recorded;
    private final long fileBytes;

    private PackedFile(Path path, FileChannel channel, PackedFront front, PackedFront.Recorded recorded) {
        this.path = path;
        this.channel = channel;
        this.tensors = front.tensors().stream().collect(Collectors.toMap(placed -> placed.tensor().name(), Function.identity()));
        this.recorded = recorded;
        this.fileBytes = front.fileBytes();
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
     * Maps the whole file, for {@link #check}. Pages come as they are read.
     *
     * @return sealed by the caller
     * @throws IOException if the system cannot map it
     */
    @SuppressWarnings("MustBeClosedChecker") // the last part closes it
    public PanelSlab map() throws IOException {
        Arena arena = Arena.ofShared();
        boolean done = false;
        try {
            PanelSlab slab = new PanelSlab(channel.map(FileChannel.MapMode.READ_ONLY, 0, fileBytes, arena), arena);
            done = true;
            return slab;
        } catch (UnsupportedOperationException e) {
            throw new IOException("files cannot be mapped here: " + e.getMessage(), e);
        } finally {
            if (!done) {
                arena.close();
            }
        }
    }

    /** The part of a mapping where a matrix lies. */
    public PanelSlab.Part part(String name, PanelSlab mapping) {
        PackedFront.Placed placed = placed(name);
        return mapping.at(placed.offset(), placed.tensor().bytes());
    }

    /**
     * A matrix in its {@link #part} of a mapping, checked, split over the team.
     *
     * @throws PackedFileException if the bytes are not those that were written
     */
    public PanelMatrix check(String name, MemorySegment panels, WorkerTeam team) throws PackedFileException {
        return matrix(placed(name), panels, team, (placed, chunk) -> check(placed, chunk, chunk(panels, chunk)));
    }

    /**
     * Reads a matrix into new memory, split over the team.
     *
     * @param name of one of the tensors it was opened with
     * @throws PackedFileException if the bytes are not those that were written, or cannot be read
     */
    public PanelMatrix read(String name, SegmentAllocator memory, WorkerTeam team) throws PackedFileException {
        PackedFront.Placed placed = placed(name);
        MemorySegment panels = memory.allocate(placed.tensor().bytes(), PanelMatrix.ALIGNMENT_BYTES);
        return matrix(placed, panels, team, (of, chunk) -> readChunk(of, chunk, panels));
    }

    private PackedFront.Placed placed(String name) {
        PackedFront.Placed placed = tensors.get(name);
        if (placed == null) {
            throw new IllegalArgumentException("%s: no such tensor: %s".formatted(path, name));
        }
        return placed;
    }

    /** What is done with each chunk of a tensor. */
    private interface ChunkTask {
        void run(PackedFront.Placed placed, int chunk) throws PackedFileException;
    }

    private static PanelMatrix matrix(PackedFront.Placed placed, MemorySegment panels, WorkerTeam team, ChunkTask task)
            throws PackedFileException {
        AtomicReference<@Nullable PackedFileException> failed = new AtomicReference<>();
        team.forEachRange(placed.chunks(), 1, (from, to) -> {
            for (int chunk = from; chunk < to && failed.get() == null; chunk++) {
                try {
                    task.run(placed, chunk);
                } catch (PackedFileException e) {
                    failed.compareAndSet(null, e);
                }
            }
        });
        PackedFileException first = failed.get();
        if (first != null) {
            throw first;
        }
        PackedTensor tensor = placed.tensor();
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
        check(placed, chunk, target.flip());
    }

    private void check(PackedFront.Placed placed, int chunk, ByteBuffer bytes) throws PackedFileException {
        if (crc(bytes) != recorded.checksums()[placed.firstChunk() + chunk]) {
            long from = placed.offset() + (long) chunk * PackedFront.CHUNK_BYTES;
            throw new PackedFileException("it is damaged between %d and %d".formatted(from, from + bytes.limit()));
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
