package dev.tidestream.model.gguf;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.time.Duration;
import java.util.Arrays;
import java.util.SplittableRandom;

import com.sun.management.ThreadMXBean;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import dev.tidestream.model.SharedData;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * Two thousand damaged files: each one opens, with all its metadata and tensors readable, or is refused with one
 * {@link GgufException}; in bounded time, and in memory bounded by the size of the file. Other damage:
 * {@code -Dtidestream.mutation.seed=N}.
 */
class GgufMutationTest {
    private static final int FILES_PER_MODEL = 1000;
    private static final Duration HANG = Duration.ofSeconds(10); // an ordinary file takes about a millisecond
    private static final long ALLOCATION_FACTOR = 8; // times the file: entries, names, decoded arrays
    private static final long CLASS_LOADING_BYTES = 1 << 20; // whichever file is first
    private static final long SEED = 20261123;
    private static final long[] LIES = {0, 1, -1, Long.MAX_VALUE, Long.MIN_VALUE, 1L << 31, 1L << 32, 1L << 40, 1L << 60, 255};
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    @ParameterizedTest
    @CsvSource({"models/stories260K/stories260K.gguf, 14152", "starter/starter-q8_0.gguf, 132882"})
    void shouldOpenOrRefuseDamagedFiles(String model, int frontBytes) throws IOException {
        long seed = Long.getLong("tidestream.mutation.seed", SEED);
        System.out.printf("GgufMutationTest: %s -Dtidestream.mutation.seed=%d%n", model, seed);
        byte[] original = Files.readAllBytes(SharedData.path(model));
        SplittableRandom random = new SplittableRandom(seed);
        int[] outcomes = new int[2]; // opened, refused
        for (int i = 0; i < FILES_PER_MODEL; i++) {
            byte[] damaged = damage(original, frontBytes, random);
            boolean opened = assertTimeoutPreemptively(HANG, () -> openOrRefuse(damaged), "%s, file %d".formatted(model, i));
            outcomes[opened ? 0 : 1]++;
        }
        System.out.printf("GgufMutationTest: %s opened %d, refused %d%n", model, outcomes[0], outcomes[1]);
        assertAll( // a test that only ever sees one outcome shows little
                () -> assertTrue(outcomes[0] > FILES_PER_MODEL / 100, "opened: " + outcomes[0]),
                () -> assertTrue(outcomes[1] > FILES_PER_MODEL / 4, "refused: " + outcomes[1]));
    }

    private static boolean openOrRefuse(byte[] bytes) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment image = arena.allocate(Math.max(bytes.length, 1), 64).asSlice(0, bytes.length);
            image.copyFrom(MemorySegment.ofArray(bytes));
            long before = THREADS.getCurrentThreadAllocatedBytes();
            boolean opened = open(image);
            long allocated = THREADS.getCurrentThreadAllocatedBytes() - before;
            long limit = ALLOCATION_FACTOR * bytes.length + CLASS_LOADING_BYTES;
            assertTrue(allocated < limit, () -> "allocated %d bytes for a file of %d".formatted(allocated, bytes.length));
            return opened;
        }
    }

    private static boolean open(MemorySegment image) {
        try (GgufFile file = GgufFile.of(image, "damaged.gguf")) {
            file.metadata().keys().forEach(key -> readArray(file.metadata(), key));
            for (GgufTensor tensor : file.tensors().values()) {
                assertTrue(file.data(tensor).byteSize() == tensor.bytes(), tensor::toString);
            }
            return true;
        } catch (GgufException e) {
            assertTrue(e.getMessage().startsWith("damaged.gguf: "), e::toString);
            return false;
        }
    }

    /** Arrays are decoded late: whatever was accepted must decode. */
    private static void readArray(GgufMetadata metadata, String key) {
        if (metadata.value(key) instanceof GgufValue.ArrayValue array) {
            switch (array.elementType()) {
                case STRING -> assertTrue(metadata.strings(key).size() == array.count());
                case F32, F64 -> assertTrue(metadata.floats(key).length == array.count());
                case BOOL, ARRAY, U64, I64, U32 -> assertTrue(array.first(100).size() <= 100);
                case U8, I8, U16, I16, I32 -> assertTrue(metadata.ints(key).length == array.count());
            }
        }
    }

    /** One to four faults of one or several kinds, in the header, the metadata or the table of tensors. */
    private static byte[] damage(byte[] original, int frontBytes, SplittableRandom random) {
        byte[] bytes = original.clone();
        int faults = random.nextInt(1, 5);
        for (int i = 0; i < faults; i++) {
            int front = Math.min(frontBytes, bytes.length);
            int near = random.nextInt(4) == 0 ? Math.min(front, 256) : front; // header and first entries more often
            switch (random.nextInt(7)) {
                case 0 -> bytes[random.nextInt(near)] ^= (byte) (1 << random.nextInt(8));
                case 1 -> bytes[random.nextInt(near)] = (byte) random.nextInt();
                case 2 -> bytes = Arrays.copyOf(bytes, random.nextInt(32, random.nextBoolean() ? near + 32 : bytes.length + 1));
                case 3 -> overwrite(bytes, random.nextInt(near), random);
                case 4 -> inflate(bytes, near, random);
                case 5 -> bytes = splice(bytes, random.nextInt(near), random);
                default -> {
                    int from = random.nextInt(near);
                    int length = Math.min(random.nextInt(64), bytes.length - from);
                    System.arraycopy(bytes, random.nextInt(bytes.length - length), bytes, from, length);
                }
            }
            if (bytes.length < 64) {
                return bytes;
            }
        }
        return bytes;
    }

    /** A wrong 64-bit number anywhere. */
    private static void overwrite(byte[] bytes, int at, SplittableRandom random) {
        if (at + 8 <= bytes.length) {
            ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putLong(at, LIES[random.nextInt(LIES.length)]);
        }
    }

    /** A plausible length, count, dimension or offset (a small 64-bit number), made wrong. */
    private static void inflate(byte[] bytes, int front, SplittableRandom random) {
        ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        int start = random.nextInt(front);
        for (int at = start; at + 8 <= Math.min(front, start + 4096); at++) {
            long number = buffer.getLong(at);
            if (number > 0 && number < 1 << 24) {
                long lie = random.nextBoolean() ? LIES[random.nextInt(LIES.length)] : number * random.nextInt(2, 1000);
                buffer.putLong(at, lie + random.nextInt(-2, 3));
                return;
            }
        }
    }

    /** Takes a few bytes out, or puts a few in. */
    private static byte[] splice(byte[] bytes, int at, SplittableRandom random) {
        int out = Math.min(random.nextInt(16), bytes.length - at);
        byte[] in = new byte[random.nextInt(16)];
        random.nextBytes(in);
        byte[] spliced = new byte[bytes.length - out + in.length];
        System.arraycopy(bytes, 0, spliced, 0, at);
        System.arraycopy(in, 0, spliced, at, in.length);
        System.arraycopy(bytes, at + out, spliced, at + in.length, bytes.length - at - out);
        return spliced;
    }
}
