package dev.tidestream.model.packed;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32C;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.tensor.memory.PanelSlab;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** What {@code PackedCacheTest} cannot reach from outside: file systems without mappings, files that become shorter meanwhile. */
class PackedFileTest {
    private static final PackedTensor TENSOR = new PackedTensor("a.weight", TensorFormat.F32, 64, 8192); // two chunks
    private static final PackedFront FRONT =
            new PackedFront(new SourceStamp("/models/a.gguf", 1000, 2000, "ab".repeat(32)), List.of(TENSOR));
    private static final WorkerTeam TEAM = WorkerTeam.sequential();

    @TempDir
    private Path folder = Path.of("");

    private final List<String> warnings = new ArrayList<>();
    private Path path = Path.of("");
    private byte[] panels = {};

    @BeforeEach
    void writeFile() throws IOException {
        panels = new byte[(int) TENSOR.bytes()];
        for (int i = 0; i < panels.length; i++) {
            panels[i] = (byte) ((i * 31) >> 7);
        }
        int[] checksums = new int[FRONT.chunks()];
        for (int chunk = 0; chunk < checksums.length; chunk++) {
            CRC32C crc = new CRC32C();
            crc.update(PackedFile.chunk(MemorySegment.ofArray(panels), chunk));
            checksums[chunk] = (int) crc.getValue();
        }
        byte[] front = FRONT.toBytes(new PackedFront.Recorded("cd".repeat(32), checksums));
        byte[] all = Arrays.copyOf(front, Math.toIntExact(FRONT.fileBytes()));
        System.arraycopy(panels, 0, all, Math.toIntExact(FRONT.tensors().getFirst().offset()), panels.length);
        path = Files.write(folder.resolve("a.panels"), all);
    }

    @ParameterizedTest
    @EnumSource(PackedLoad.class)
    void shouldReadWhatWasWritten(PackedLoad load) throws IOException, PackedFileException {
        assertRead(PackedFile.open(path, FRONT, load, warnings::add));
        assertEquals(List.of(), warnings);
    }

    @Test
    void shouldCopyWhatCannotBeMapped() throws IOException, PackedFileException {
        FileChannel channel = new WithoutMappings(FileChannel.open(path, StandardOpenOption.READ));
        assertRead(PackedFile.open(path, channel, FRONT, PackedLoad.MAP, warnings::add));
        assertEquals(1, warnings.size(), warnings.toString());
        String warning = warnings.getFirst();
        assertTrue(warning.startsWith(path + ": cannot be mapped: UnsupportedOperationException: "), warning);
        assertTrue(warning.endsWith("; copying it"), warning);
    }

    @Test
    void shouldRefuseWhatEndsWhileItIsCopied() throws IOException, PackedFileException {
        try (PackedFile file = PackedFile.open(path, FRONT, PackedLoad.COPY, warnings::add)) {
            try (FileChannel writer = FileChannel.open(path, StandardOpenOption.WRITE)) {
                writer.truncate(FRONT.fileBytes() - 5000);
            }
            PackedFileException e = assertThrows(PackedFileException.class, () -> file.read("a.weight", TEAM));
            assertEquals("it ends at " + (FRONT.fileBytes() - 5000), e.getMessage());
        }
    }

    @ParameterizedTest
    @EnumSource(PackedLoad.class)
    void shouldRefuseWhatIsNotWhatWasWritten(PackedLoad load) throws IOException, PackedFileException {
        try (PackedFile file = PackedFile.open(path, FRONT, load, warnings::add)) {
            try (FileChannel writer = FileChannel.open(path, StandardOpenOption.WRITE)) {
                writer.write(ByteBuffer.allocate(1), FRONT.fileBytes() - 7);
            }
            PackedFileException e = assertThrows(PackedFileException.class, () -> file.read("a.weight", TEAM));
            assertTrue(String.valueOf(e.getMessage()).startsWith("it is damaged between "), e.getMessage());
        }
    }

    private void assertRead(PackedFile opened) throws PackedFileException {
        PanelSlab.Part part;
        try (opened) {
            part = opened.read("a.weight", TEAM);
        }
        opened.close(); // again does nothing
        try (part) {
            assertArrayEquals(panels, part.memory().toArray(ValueLayout.JAVA_BYTE));
        }
        assertTrue(!part.memory().scope().isAlive(), "the memory ends with the only tensor");
    }

    /** A channel of a file system that maps nothing; it can only be read. */
    private static final class WithoutMappings extends FileChannel {
        private final FileChannel channel;

        WithoutMappings(FileChannel channel) {
            this.channel = channel;
        }

        @Override
        public int read(ByteBuffer target, long position) throws IOException {
            return channel.read(target, position);
        }

        @Override
        public long size() throws IOException {
            return channel.size();
        }

        @Override
        protected void implCloseChannel() throws IOException {
            channel.close();
        }

        @Override
        public int read(ByteBuffer target) {
            throw unused();
        }

        @Override
        public long read(ByteBuffer[] targets, int offset, int length) {
            throw unused();
        }

        @Override
        public int write(ByteBuffer source) {
            throw unused();
        }

        @Override
        public long write(ByteBuffer[] sources, int offset, int length) {
            throw unused();
        }

        @Override
        public int write(ByteBuffer source, long position) {
            throw unused();
        }

        @Override
        public long position() {
            throw unused();
        }

        @Override
        public FileChannel position(long newPosition) {
            throw unused();
        }

        @Override
        public FileChannel truncate(long size) {
            throw unused();
        }

        @Override
        public void force(boolean metaData) {
            throw unused();
        }

        @Override
        public long transferTo(long position, long count, WritableByteChannel target) {
            throw unused();
        }

        @Override
        public long transferFrom(ReadableByteChannel source, long position, long count) {
            throw unused();
        }

        @Override
        public MappedByteBuffer map(MapMode mode, long position, long size) {
            throw unused();
        }

        @Override
        public FileLock lock(long position, long size, boolean shared) {
            throw unused();
        }

        @Override
        public FileLock tryLock(long position, long size, boolean shared) {
            throw unused();
        }

        private static AssertionError unused() {
            return new AssertionError("a file of panels is read at positions only");
        }
    }
}
