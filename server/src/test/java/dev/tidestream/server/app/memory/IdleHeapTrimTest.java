package dev.tidestream.server.app.memory;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** {@link IdleHeapTrim} with a heap that counts, and {@link OldGeneration} on the heap of this JVM. */
class IdleHeapTrimTest {
    private static final long WORTH_BYTES = 100;

    private final ScheduledExecutorService never = Executors.newSingleThreadScheduledExecutor();
    private final CountingHeap heap = new CountingHeap();
    private boolean idle = true;
    private final IdleHeapTrim trim = new IdleHeapTrim(() -> idle, heap, WORTH_BYTES, Duration.ofDays(1), never);

    private static final class CountingHeap implements IdleHeapTrim.Heap {
        private long grownBytes;
        private int collections;

        @Override
        public long grownBytes() {
            return grownBytes;
        }

        @Override
        public void collect() {
            collections++;
            grownBytes = 0;
        }
    }

    @AfterEach
    void close() {
        trim.close();
        assertTrue(never.isShutdown());
    }

    private int collectionsAfterLooks(int looks) {
        for (int i = 0; i < looks; i++) {
            trim.look();
        }
        return heap.collections;
    }

    @Test
    void shouldCollectOnceWhenNobodyHasStreamedForTwoLooks() {
        heap.grownBytes = WORTH_BYTES;
        assertEquals(0, collectionsAfterLooks(1));
        assertEquals(1, collectionsAfterLooks(1));
        assertEquals(1, collectionsAfterLooks(5));
    }

    @Test
    void shouldLeaveTheHeapAloneWhileSomebodyStreams() {
        heap.grownBytes = WORTH_BYTES;
        trim.look();
        idle = false;
        assertEquals(0, collectionsAfterLooks(5));
        idle = true;
        assertEquals(0, collectionsAfterLooks(1), "a stream in between starts the count anew");
        assertEquals(1, collectionsAfterLooks(1));
    }

    @Test
    void shouldNotCollectForLittle() {
        heap.grownBytes = WORTH_BYTES - 1;
        assertEquals(0, collectionsAfterLooks(5));
    }

    /** Prints how far the old generation has grown: with 32 MiB of arrays larger than the young one, and after a collection. */
    static final class Grower {
        private Grower() {}

        public static void main(String[] args) {
            OldGeneration old = OldGeneration.ofThisJvm().orElseThrow();
            List<byte[]> arrays = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                arrays.add(new byte[8 << 20]);
            }
            System.out.println(old.grownBytes() >= arrays.size() * (8L << 20));
            arrays.clear();
            old.collect();
            System.out.println(old.grownBytes() < 8 << 20);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"-XX:+UseSerialGC", "-XX:+UseParallelGC"})
    void shouldSeeTheOldGenerationGrowAndShrink(String collector) throws Exception {
        Process process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(), collector, "-Xmn4m",
                "-Xms8m", "-Xmx128m", "-cp", System.getProperty("java.class.path"), Grower.class.getName())
                .redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(List.of("true", "true"), said.lines().toList());
        assertEquals(0, process.waitFor());
    }
}
