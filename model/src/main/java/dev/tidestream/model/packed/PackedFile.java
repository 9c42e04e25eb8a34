package dev.tidestream.model.packed;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.zip.CRC32C;

import org.jspecify.annotations.Nullable;

import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.tensor.memory.PanelSlab;

/**
 * A file of packed panels, open for reading. It stays readable if another process replaces it. One caller at a time.
 *
 * <p>Panels are parts of one slab: the whole file mapped, or memory that they are copied to. Either way every byte is held against
 * its checksum when it is read first, which also brings a mapping's pages. Parts outlive the file that is closed here, and the
 * slab ends with the last of them.
 */
public final class PackedFile implements AutoCloseable {
    private final Path path;
    private final FileChannel channel;
    private final Map<String, PackedFront.Placed> tensors;
    private final PackedFront.Recorded recorded;
    private final boolean mapped;
    private final PanelSlab slab;
    private boolean closed;

    private PackedFile(
            Path path, FileChannel channel, PackedFront front, PackedFront.Recorded recorded, Optional<PanelSlab> mapping) {
        this.path = path;
        this.channel = channel;
        this.tensors = front.tensors().stream().collect(Collectors.toMap(placed -> placed.tensor().name(), Function.identity()));
        this.recorded = recorded;
        this.mapped = mapping.isPresent();
        this.slab = mapping.orElseGet(() -> new PanelSlab(front.fileBytes()));
    }

    /**
     * Opens a file, and checks its front.
     *
     * @param expected what the file must say
     * @param warnings told, in one line, why a file that is to be mapped is copied
     * @throws PackedFileException if it says something else, or is damaged
     * @throws IOException also if it is not there
     */
    static PackedFile open(Path path, PackedFront expected, PackedLoad load, Consumer<String> warnings)
            throws IOException, PackedFileException {
        return open(path, FileChannel.open(path, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS), expected, load, warnings);
    }

    /** @param channel of the file; closed if this throws */
    static PackedFile open(
            Path path, FileChannel channel, PackedFront expected, PackedLoad load, Consumer<String> warnings)
            throws IOException, PackedFileException {
        boolean done = false;
        try {
            PackedFront.Recorded recorded = expected.check(front(channel, expected.frontBytes()), channel.size());
            Optional<PanelSlab> mapping = switch (load) {
                case MAP -> map(path, channel, expected.fileBytes(), warnings);
                case COPY -> Optional.empty();
            };
            PackedFile file = new PackedFile(path, channel, expected, recorded, mapping);
            done = true;
            return file;
        } finally {
            if (!done) {
                channel.close();
            }
        }
    }

    /** The whole file, if it can be mapped. */
    @SuppressWarnings("MustBeClosedChecker") // the slab closes the arena
    private static Optional<PanelSlab> map(Path path, FileChannel channel, long bytes, Consumer<String> warnings) {
        Arena arena = Arena.ofShared();
        boolean done = false;
        try {
            PanelSlab slab = new PanelSlab(channel.map(FileChannel.MapMode.READ_ONLY, 0, bytes, arena), arena);
            done = true;
            return Optional.of(slab);
        } catch (IOException | UnsupportedOperationException e) { // a file system may have no mappings
            warnings.accept("%s: cannot be mapped: %s: %s; copying it"
                    .formatted(path, e.getClass().getSimpleName(), e.getMessage()));
            return Optional.empty();
        } finally {
            if (!done) {
                arena.close();
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
     * The panels of a matrix, read and checked, split over the team. Once for each matrix.
     *
     * @param name of one of the tensors it was opened with
     * @throws PackedFileException if the bytes are not those that were written, or cannot be read
     */
    public PanelSlab.Part read(String name, WorkerTeam team) throws PackedFileException {
        PackedFront.Placed placed = tensors.get(name);
        if (placed == null) {
            throw new IllegalArgumentException("%s: no such tensor: %s".formatted(path, name));
        }
        PanelSlab.Part part = slab.take(placed.offset(), placed.tensor().bytes());
        boolean done = false;
        try {
            read(placed, part.memory(), team);
            done = true;
            return part;
        } finally {
            if (!done) {
                part.close();
            }
        }
    }

    private void read(PackedFront.Placed placed, MemorySegment panels, WorkerTeam team) throws PackedFileException {
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
    }

    private void readChunk(PackedFront.Placed placed, int chunk, MemorySegment panels) throws PackedFileException {
        ByteBuffer bytes = chunk(panels, chunk);
        long from = placed.offset() + (long) chunk * PackedFront.CHUNK_BYTES;
        if (!mapped) {
            copy(from, bytes);
        }
        if (crc(bytes) != recorded.checksums()[placed.firstChunk() + chunk]) {
            throw new PackedFileException("it is damaged between %d and %d".formatted(from, from + bytes.limit()));
        }
    }

    private void copy(long from, ByteBuffer target) throws PackedFileException {
        try {
            while (target.hasRemaining()) {
                if (channel.read(target, from + target.position()) < 0) {
                    throw new PackedFileException("it ends at %d".formatted(from + target.position()));
                }
            }
        } catch (IOException e) {
            throw new PackedFileException("it cannot be read at %d: %s".formatted(from, e.getMessage()), e);
        }
        target.flip();
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

    /** Panels that were read stay. Again does nothing. */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        slab.seal();
        try {
            channel.close();
        } catch (IOException e) {
            throw new UncheckedIOException("%s: cannot close: %s".formatted(path, e.getMessage()), e);
        }
    }
}
