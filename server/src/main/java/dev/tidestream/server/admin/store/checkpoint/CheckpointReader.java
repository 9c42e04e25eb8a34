package dev.tidestream.server.admin.store.checkpoint;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32C;

import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.WeightTensor;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.tensor.memory.PageArena;
import dev.tidestream.model.transformer.OwnedTensor;
import dev.tidestream.server.admin.AdminDesk.ProgressSink;
import dev.tidestream.server.pacing.PacedTeam;

/** Reads one checkpoint from its beginning to its end, and believes nothing; see {@link CheckpointFormat}. One thread. */
public final class CheckpointReader {
    private final InputStream in;
    private final long fileBytes;
    private final byte[] prefix;
    private final List<CheckpointFormat.Part> parts;
    private final WorkerTeam pace;
    private final ProgressSink progress;
    private final int[] checksums;
    private final byte[] buffer = new byte[CheckpointFormat.CHUNK_BYTES];
    private int chunks;
    private long readBytes;

    /**
     * Of a file.
     *
     * @param fileBytes its length
     * @param prefix what it must begin with
     * @param parts what it must have
     * @param team whose breaks are kept, if it has one thread; see {@link PacedTeam}
     * @param progress told how many bytes of the tensors are read
     */
    public CheckpointReader(
            InputStream in, long fileBytes, byte[] prefix, List<CheckpointFormat.Part> parts, WorkerTeam team, ProgressSink progress) {
        this.in = in;
        this.fileBytes = fileBytes;
        this.prefix = prefix;
        this.parts = parts;
        this.pace = team.size() == 1 ? team : WorkerTeam.sequential(); // a file is read in order
        this.progress = progress;
        this.checksums = new int[CheckpointFormat.chunks(parts)];
    }

    /**
     * All tensors, by name; the caller's. If it throws, there are none.
     *
     * @throws IOException if it cannot be read, or is not what it must be
     */
    public Map<String, OwnedTensor> read() throws IOException {
        byte[] front = CheckpointFormat.front(prefix, parts);
        if (fileBytes != CheckpointFormat.fileBytes(parts)) {
            throw new IOException("bytes=" + fileBytes + ", expected=" + CheckpointFormat.fileBytes(parts));
        }
        if (!Arrays.equals(front, in.readNBytes(front.length))) {
            throw new IOException("its table of tensors is another one");
        }
        Map<String, OwnedTensor> tensors = new LinkedHashMap<>();
        boolean done = false;
        try {
            for (CheckpointFormat.Part part : parts) {
                tensors.put(part.name(), read(part));
            }
            byte[] back = CheckpointFormat.back(front, checksums);
            if (!Arrays.equals(back, in.readNBytes(back.length))) {
                throw new IOException("its checksums are other ones");
            }
            done = true;
            return tensors;
        } finally {
            if (!done) {
                tensors.values().forEach(OwnedTensor::close);
            }
        }
    }

    @SuppressWarnings("MustBeClosedChecker") // the tensor owns the arena
    private OwnedTensor read(CheckpointFormat.Part part) throws IOException {
        if (part.shape().size() == 1) {
            ByteBuffer bytes = ByteBuffer.allocate(Math.toIntExact(part.bytes())).order(ByteOrder.LITTLE_ENDIAN);
            fill(MemorySegment.ofBuffer(bytes), part);
            float[] values = new float[bytes.capacity() / Float.BYTES];
            bytes.asFloatBuffer().get(values);
            return new OwnedTensor(new WeightTensor.Vector(part.format(), values), () -> {}); // of the heap
        }
        PageArena arena = new PageArena();
        boolean done = false;
        try {
            MemorySegment panels = arena.allocate(part.bytes(), PanelMatrix.ALIGNMENT_BYTES);
            fill(panels, part);
            PanelMatrix matrix = PanelMatrix.ofPanels(part.format(), Math.toIntExact(part.shape().getFirst()),
                    Math.toIntExact(part.shape().getLast()), panels);
            done = true;
            return OwnedTensor.of(new WeightTensor.Matrix(matrix), arena);
        } finally {
            if (!done) {
                arena.close();
            }
        }
    }

    private void fill(MemorySegment tensor, CheckpointFormat.Part part) throws IOException {
        IOException[] failed = {null};
        pace.forEachRange(part.chunks(), 1, (from, to) -> {
            try {
                for (int chunk = from; chunk < to && failed[0] == null; chunk++) {
                    fill(tensor, chunk);
                }
            } catch (IOException e) {
                failed[0] = e;
            }
        });
        if (failed[0] != null) {
            throw failed[0];
        }
    }

    private void fill(MemorySegment tensor, int chunk) throws IOException {
        long from = (long) chunk * CheckpointFormat.CHUNK_BYTES;
        int length = (int) Math.min(CheckpointFormat.CHUNK_BYTES, tensor.byteSize() - from);
        if (in.readNBytes(buffer, 0, length) < length) {
            throw new EOFException("it has become shorter");
        }
        CRC32C crc = new CRC32C();
        crc.update(buffer, 0, length);
        checksums[chunks++] = (int) crc.getValue();
        MemorySegment.copy(MemorySegment.ofArray(buffer), 0, tensor, from, length);
        readBytes += length;
        progress.report("reading", readBytes, parts.stream().mapToLong(CheckpointFormat.Part::bytes).sum());
    }
}
