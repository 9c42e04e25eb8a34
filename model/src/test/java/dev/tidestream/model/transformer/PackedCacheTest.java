package dev.tidestream.model.transformer;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import java.util.zip.CRC32C;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.gguf.GgufFile;
import dev.tidestream.model.gguf.GgufTensor;
import dev.tidestream.model.kernels.KernelSelection;
import dev.tidestream.model.packed.PackedCache;
import dev.tidestream.model.packed.PackedLoad;
import dev.tidestream.model.tensor.WeightTensor;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.transformer.ModelLoader.Stage;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Whatever has happened to the files of a cache: the model is the same to the bit, or packed anew. */
@ParameterizedClass
@EnumSource(PackedLoad.class)
class PackedCacheTest {
    private static final int[] TOKENS = {1, 2, 3, 4, 5};
    private static final int LAYOUT_OFFSET = 8;
    private static final int FRONT_BYTES_OFFSET = 12;

    @Parameter
    private PackedLoad how = PackedLoad.MAP;

    @TempDir
    private Path folder = Path.of("");

    private final List<String> warnings = new ArrayList<>();
    private final Set<Stage> stages = EnumSet.noneOf(Stage.class);
    private Path model = Path.of("");
    private String loadedSha256 = ""; // of the file, as it was identified
    private Path cache = Path.of("");

    @BeforeEach
    void writeModel() throws IOException {
        model = Files.write(folder.resolve("a model.gguf"), new RandomLlama(TensorFormat.F32).bytes());
        cache = folder.resolve("cache");
    }

    @ParameterizedTest
    @EnumSource(value = TensorFormat.class, mode = EnumSource.Mode.MATCH_NONE, names = {"Q._K", "TQ.*", "I2_S"}) // too narrow
    void shouldLoadTheSameBitsFromPanels(TensorFormat format) throws IOException {
        Files.write(model, new RandomLlama(format).untied().bytes());
        float[] expected = logits(ModelLoader.load(
                GgufFile.open(model), KernelSelection.vector(), WorkerTeam.sequential(), ModelLoader.ProgressListener.NONE));
        assertArrayEquals(expected, load(false));
        assertEquals(EnumSet.of(Stage.PACKING, Stage.WRITING_PANELS), stages);
        assertArrayEquals(expected, load(false));
        assertEquals(EnumSet.of(Stage.READING_PANELS), stages);
        assertArrayEquals(expected, load(true));
        assertEquals(EnumSet.of(Stage.READING_PANELS), stages);
        assertEquals(List.of(), warnings);
        assertEquals(1, files().size());
    }

    @Test
    void shouldReadTheModelFileAgainForARollback() throws IOException {
        load(false);
        try (GgufFile file = GgufFile.open(model)) {
            ModelLoader loader = new ModelLoader(file);
            try (LoadedModel loaded = loader.load(KernelSelection.vector(), WorkerTeam.sequential(), ModelLoader.ProgressListener.NONE,
                            new PackedCache(cache, false, how, warnings::add));
                    var again = loader.read("token_embd.weight", WorkerTeam.sequential())) {
                assertEquals(loaded.tensor("token_embd.weight").orElseThrow().bytes(), again.tensor().bytes());
            }
        }
    }

    /** As updates do: version after version, each with one tensor of its own more. */
    @Test
    void shouldEndTheMemoryOfAllPanelsWithTheLastTensor() throws IOException {
        float[] expected = load(false);
        try (GgufFile file = GgufFile.open(model)) {
            ModelLoader loader = new ModelLoader(file);
            LoadedModel loaded = open(loader);
            MemorySegment embedding = panels(loaded, "token_embd.weight");
            List<String> names = loaded.tensorNames().stream().filter(name -> !loaded.makesTheHead(name)).toList();
            LoadedModel current = loaded;
            for (String name : names) {
                LoadedModel next = current.successor(Map.of(name, loader.read(name, WorkerTeam.sequential())), null);
                current.close();
                current = next;
                assertArrayEquals(expected, logitsOf(current), name);
                assertMapped(how == PackedLoad.MAP);
            }
            assertTrue(embedding.scope().isAlive());
            current.close();
            assertFalse(embedding.scope().isAlive());
            assertMapped(false);
        }
        assertEquals(List.of(), warnings);
    }

    @Test
    void shouldKeepNothingOfAFileThatIsRefusedHalfway() throws IOException {
        load(false);
        byte[] bytes = Files.readAllBytes(sidecar());
        bytes[bytes.length - 1] ^= 1; // seen when all before it has been read
        Files.write(sidecar(), bytes);
        try (GgufFile file = GgufFile.open(model); LoadedModel loaded = open(new ModelLoader(file))) {
            assertTrue(warnings.getFirst().contains("it is damaged between "), warnings.toString());
            assertEquals(100, loaded.blueprint().vocabularySize());
            assertMapped(false);
        }
    }

    @Test
    void shouldKeepItsBitsWhenTheFileIsReplacedAndDeleted() throws IOException {
        float[] expected = load(false);
        try (GgufFile file = GgufFile.open(model); LoadedModel loaded = open(new ModelLoader(file))) {
            Path other = Files.write(folder.resolve("other"), new byte[(int) Files.size(sidecar())]);
            Files.move(other, sidecar(), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            assertArrayEquals(expected, logitsOf(loaded));
            Files.delete(sidecar());
            assertArrayEquals(expected, logitsOf(loaded));
        }
    }

    private LoadedModel open(ModelLoader loader) {
        return loader.load(KernelSelection.vector(), WorkerTeam.sequential(), ModelLoader.ProgressListener.NONE,
                new PackedCache(cache, false, how, warnings::add));
    }

    private static MemorySegment panels(LoadedModel model, String name) {
        WeightTensor.Matrix matrix = assertInstanceOf(WeightTensor.Matrix.class, model.tensor(name).orElseThrow());
        return matrix.panels().panelData();
    }

    /** Whether this process has a mapping of the file, as Linux knows. */
    private void assertMapped(boolean expected) throws IOException {
        Path maps = Path.of("/proc/self/maps");
        if (Files.isReadable(maps)) {
            String name = sidecar().toRealPath().toString();
            assertEquals(expected, Files.readString(maps).contains(name), name);
        }
    }

    @ParameterizedTest
    @ValueSource(doubles = {0, 0.0001, 0.01, 0.5, 0.999})
    void shouldPackAnewWhatIsTooShort(double share) throws IOException {
        float[] expected = load(false);
        byte[] bytes = Files.readAllBytes(sidecar());
        Files.write(sidecar(), Arrays.copyOf(bytes, (int) (bytes.length * share)));
        packedAnew(expected, false);
        assertEquals(1, warnings.size());
        assertArrayEquals(bytes, Files.readAllBytes(sidecar()));
    }

    @Test
    void shouldNeverServeAFlippedBit() throws IOException {
        long seed = System.nanoTime();
        SplittableRandom random = new SplittableRandom(seed);
        float[] expected = load(false);
        byte[] intact = Files.readAllBytes(sidecar());
        int frontBytes = ByteBuffer.wrap(intact).order(ByteOrder.LITTLE_ENDIAN).getInt(FRONT_BYTES_OFFSET);
        for (int i = 0; i < 60; i++) {
            int at = i < 30 ? random.nextInt(frontBytes) : random.nextInt(intact.length);
            byte[] bytes = intact.clone();
            bytes[at] ^= (byte) (1 << random.nextInt(8));
            Files.write(sidecar(), bytes);
            String where = "seed=%d, at=%d, warnings=%s".formatted(seed, at, warnings);
            assertArrayEquals(expected, load(false), where);
            if (i < 30) {
                assertTrue(stages.contains(Stage.PACKING), where);
            }
        }
    }

    @Test
    void shouldNotBelieveAFileOfAnotherLayout() throws IOException {
        float[] expected = load(false);
        byte[] bytes = Files.readAllBytes(sidecar());
        ByteBuffer front = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        int checksumAt = front.getInt(FRONT_BYTES_OFFSET) - Integer.BYTES;
        front.putInt(LAYOUT_OFFSET, front.getInt(LAYOUT_OFFSET) + 1);
        CRC32C crc = new CRC32C();
        crc.update(bytes, 0, checksumAt);
        front.putInt(checksumAt, (int) crc.getValue());
        Files.write(sidecar(), bytes);
        packedAnew(expected, false);
        assertTrue(warnings.getFirst().contains("another panel layout: version="), warnings.toString());
    }

    @Test
    void shouldSeeThatTheModelFileIsAnother() throws IOException {
        float[] before = load(false);
        byte[] bytes = Files.readAllBytes(model);
        change(bytes, firstMatrixAt());
        FileTime time = Files.getLastModifiedTime(model);
        Files.write(model, bytes);
        Files.setLastModifiedTime(model, time); // the sample differs
        float[] after = packedAnew(null, false);
        assertTrue(!Arrays.equals(before, after));
        assertTrue(warnings.getFirst().contains("the model file has changed since"), warnings.toString());

        Files.setLastModifiedTime(model, FileTime.from(Instant.EPOCH)); // the time differs
        packedAnew(after, false);
    }

    /** What a sample cannot see, and a full check does; the documentation says so. */
    @Test
    void shouldSeeASmallChangeOnlyIfAllOfTheModelFileIsHashed() throws IOException {
        float[] before = load(false);
        String sha256 = loadedSha256;
        assertEquals(sha256(model), sha256);
        changeUnsampled();
        assertArrayEquals(before, load(false));
        assertEquals(EnumSet.of(Stage.READING_PANELS), stages);
        assertEquals(sha256, loadedSha256); // of what is served
        float[] after = packedAnew(null, true);
        assertTrue(!Arrays.equals(before, after));
        assertEquals(sha256(model), loadedSha256);
    }

    @Test
    void shouldNotBelieveDamagedPanelsWhatTheModelFileIs() throws IOException {
        float[] before = load(false);
        changeUnsampled();
        byte[] bytes = Files.readAllBytes(sidecar());
        bytes[bytes.length - 1] ^= 1; // seen when all before it has been read
        Files.write(sidecar(), bytes);
        assertTrue(!Arrays.equals(before, load(false)));
        assertEquals(sha256(model), loadedSha256);
        assertEquals(1, warnings.size(), warnings.toString());
    }

    private void changeUnsampled() throws IOException {
        byte[] bytes = Files.readAllBytes(model);
        change(bytes, firstMatrixAt() + 6000); // between the first and the middle page
        FileTime time = Files.getLastModifiedTime(model);
        Files.write(model, bytes);
        Files.setLastModifiedTime(model, time);
    }

    private static String sha256(Path path) {
        try (GgufFile file = GgufFile.open(path)) {
            return file.sha256();
        }
    }

    private static void change(byte[] bytes, int at) {
        bytes[at] ^= 64; // of a float's mantissa
        bytes[at + 1] ^= 64;
    }

    private int firstMatrixAt() {
        try (GgufFile file = GgufFile.open(model)) {
            GgufTensor tensor = file.tensor("token_embd.weight");
            return Math.toIntExact(tensor.offsetBytes());
        }
    }

    @Test
    void shouldRemoveWhatAKilledWriterLeft() throws IOException {
        load(false);
        Path name = sidecar();
        Files.delete(name);
        Path left = Files.write(cache.resolve(name.getFileName() + ".123-456.tmp"), new byte[1000]);
        Path locked = Files.write(cache.resolve(name.getFileName() + ".124-456.tmp"), new byte[1000]);
        Path foreign = Files.write(cache.resolve("notes.txt"), new byte[10]);
        try (FileChannel channel = FileChannel.open(locked, StandardOpenOption.WRITE); FileLock lock = channel.lock()) {
            assertTrue(lock.isValid());
            load(false);
        }
        assertEquals(List.of(), warnings);
        assertTrue(Files.exists(name) && Files.exists(locked) && Files.exists(foreign));
        assertTrue(Files.notExists(left));
    }

    @Test
    void shouldKeepOneFileForEachModelThatExists() throws IOException {
        load(false);
        Path first = sidecar();
        Path gone = model;
        model = Files.write(folder.resolve("other.gguf"), new RandomLlama(TensorFormat.F16).bytes());
        load(false);
        assertEquals(2, files().size());
        Files.delete(gone);
        Files.write(model, new RandomLlama(TensorFormat.BF16).bytes());
        load(false);
        assertEquals(1, files().size());
        assertTrue(Files.notExists(first));
    }

    @Test
    void shouldServeWithoutACacheThatCannotBeWritten() throws IOException {
        Files.write(cache, new byte[1]); // a file where the directory should be
        load(false);
        assertEquals(EnumSet.of(Stage.PACKING), stages);
        assertTrue(warnings.getLast().contains("not written: "), warnings.toString());
    }

    @Test
    void shouldLeaveRoomOnTheDisk() throws IOException {
        try (GgufFile file = GgufFile.open(model)) {
            PackedCache full = new PackedCache(cache, false, how, warnings::add, Long.MAX_VALUE / 2);
            try (LoadedModel loaded = new ModelLoader(file).load(
                    KernelSelection.vector(), WorkerTeam.sequential(), ModelLoader.ProgressListener.NONE, full)) {
                assertEquals(100, loaded.blueprint().vocabularySize());
            }
        }
        assertTrue(warnings.getFirst().contains("the disk is too full: bytes="), warnings.toString());
        assertEquals(List.of(), files());
    }

    @Test
    void shouldKeepNothingOfAModelThatIsNoFile() {
        try (GgufFile file = new RandomLlama(TensorFormat.F32).file();
                LoadedModel loaded = new ModelLoader(file).load(KernelSelection.vector(), WorkerTeam.sequential(),
                        ModelLoader.ProgressListener.NONE, new PackedCache(cache, false, how, warnings::add))) {
            assertEquals(100, loaded.blueprint().vocabularySize());
        }
        assertEquals(List.of("random.gguf: a model that is no file has no packed panels kept"), warnings);
        assertTrue(Files.notExists(cache));
    }

    private float[] packedAnew(float @Nullable [] expected, boolean wholeSource) throws IOException {
        float[] logits = load(wholeSource);
        assertTrue(stages.contains(Stage.PACKING) && stages.contains(Stage.WRITING_PANELS), stages + " " + warnings);
        if (expected != null) {
            assertArrayEquals(expected, logits);
        }
        assertArrayEquals(logits, load(wholeSource));
        assertEquals(EnumSet.of(Stage.READING_PANELS), stages);
        return logits;
    }

    private float[] load(boolean wholeSource) {
        stages.clear();
        try (GgufFile file = GgufFile.open(model)) {
            float[] logits = logits(new ModelLoader(file).load(KernelSelection.vector(), WorkerTeam.sequential(),
                    (stage, done, total) -> stages.add(stage), new PackedCache(cache, wholeSource, how, warnings::add)));
            loadedSha256 = file.sha256();
            return logits;
        }
    }

    private static float[] logits(LoadedModel model) {
        try (model) {
            return logitsOf(model);
        }
    }

    private static float[] logitsOf(LoadedModel model) {
        return TestModels.logits(model.newTransformer(WorkerTeam.sequential(), ActivationPrecision.F32, 8), TOKENS, 5);
    }

    private List<Path> files() throws IOException {
        if (Files.notExists(cache)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(cache)) {
            return files.toList();
        }
    }

    private Path sidecar() throws IOException {
        try (GgufFile file = GgufFile.open(model)) {
            return cache.resolve(PackedCache.fileName(file, ""));
        }
    }
}
