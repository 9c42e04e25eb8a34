package dev.tidestream.model.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.zip.CRC32C;

import org.junit.jupiter.api.Test;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.format.base.PanelLayout;
import dev.tidestream.model.tensor.panel.PanelPacker;

import static org.junit.jupiter.api.Assertions.assertEquals;

/**
 * Panels in files outlive the program that packed them. If this fails, the layout of a format has changed: raise
 * {@link PanelLayout#VERSION}, then write down the new numbers.
 */
class PanelLayoutVersionTest {
    private static final int ROWS = 33;
    private static final int COLUMNS = 512;
    private static final String VERSION_2 = "{F32=13c4ef3d, F16=92e53ba7, BF16=cd8ac3cb, Q8_0=8032c526, Q4_0=92e55a1f,"
            + " Q4_K=5e0625b6, Q5_K=3b1a236b, Q6_K=96ac612, Q4_1=fea09cd, Q5_0=c2ce717f, Q5_1=1e8e303,"
            + " IQ4_NL=92e55a1f, Q2_K=283b1598, Q3_K=ed839524, TQ1_0=4bcf0f3a, TQ2_0=927a5655, I2_S=3f18ae30}";

    @Test
    void shouldNumberEveryChangeOfTheLayout() {
        Map<TensorFormat, String> checksums = new TreeMap<>();
        for (TensorFormat format : TensorFormat.values()) {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment rowMajor = RandomWeights.rowMajor(format, ROWS, COLUMNS, new SplittableRandom(5), arena);
                PanelMatrix panels = PanelPacker.pack("w", format, ROWS, COLUMNS, rowMajor, arena, WorkerTeam.sequential());
                CRC32C crc = new CRC32C();
                crc.update(panels.panelData().asByteBuffer());
                checksums.put(format, Long.toHexString(crc.getValue()));
            }
        }
        assertEquals("2 " + VERSION_2, PanelMatrix.layoutVersion() + " " + checksums);
    }
}
