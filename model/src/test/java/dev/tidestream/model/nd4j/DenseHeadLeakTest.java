package dev.tidestream.model.nd4j;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SplittableRandom;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.RandomWeights;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.tensor.panel.PanelPacker;

import static org.junit.jupiter.api.Assertions.assertTrue;

/** Memory really goes back to the system: watched from outside, since much of it is not the JVM's. */
@EnabledOnOs(OS.LINUX)
class DenseHeadLeakTest {
    private static final int VOCABULARY = 4000;
    private static final int HIDDEN = 1024;
    private static final long LAYOUT_BYTES = 4L * VOCABULARY * HIDDEN;

    @Test
    void shouldReturnALayoutOnClose() throws IOException {
        try (Arena arena = Arena.ofShared()) {
            PanelMatrix weight = weight(arena, VOCABULARY, HIDDEN);
            use(CachedTranspose.of(weight, WorkerTeam.sequential()), VOCABULARY, HIDDEN);
            long before = offHeapBytes();
            for (int i = 0; i < 20; i++) {
                use(CachedTranspose.of(weight, WorkerTeam.sequential()), VOCABULARY, HIDDEN);
                use(TransposePerStep.of(weight, WorkerTeam.sequential()), VOCABULARY, HIDDEN);
            }
            long grown = offHeapBytes() - before;
            assertTrue(grown < 4 * LAYOUT_BYTES, "40 layouts of %d bytes left behind %d".formatted(LAYOUT_BYTES, grown));
        }
    }

    @Test
    void shouldLeaveNothingBehindPerCall() throws IOException {
        int calls = 100_000;
        try (Arena arena = Arena.ofShared(); CachedTranspose head = CachedTranspose.of(weight(arena, 33, 32), WorkerTeam.sequential())) {
            float[] hidden = new float[32];
            float[] logits = new float[33];
            for (int i = 0; i < 1000; i++) {
                head.logits(hidden, 1, logits, WorkerTeam.sequential());
            }
            long before = offHeapBytes();
            for (int i = 0; i < calls; i++) {
                head.logits(hidden, 1, logits, WorkerTeam.sequential());
            }
            long perCall = (offHeapBytes() - before) / calls;
            assertTrue(perCall < 300, "bytes left behind per call: " + perCall);
        }
    }

    private static void use(DenseHead head, int vocabulary, int hidden) {
        try (head) {
            head.logits(new float[hidden], 1, new float[vocabulary], WorkerTeam.sequential());
        }
    }

    private static PanelMatrix weight(Arena arena, int vocabulary, int hidden) {
        MemorySegment source = RandomWeights.rowMajor(TensorFormat.F32, vocabulary, hidden, new SplittableRandom(1), arena);
        return PanelPacker.pack("w", TensorFormat.F32, vocabulary, hidden, source, arena, WorkerTeam.sequential());
    }

    /** Resident memory without the Java heap, which grows when it likes. */
    private static long offHeapBytes() throws IOException {
        String status = Files.readString(Path.of("/proc/self/status"));
        long resident = Long.parseLong(status.replaceAll("(?s).*VmRSS:\\s+(\\d+) kB.*", "$1")) * 1024;
        return resident - Runtime.getRuntime().totalMemory();
    }
}
