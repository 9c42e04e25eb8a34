package dev.tidestream.model.format;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.SplittableRandom;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import dev.tidestream.model.SharedData;
import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.tensor.panel.PanelPacker;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

/** What is written into a file is what was read from one. */
class UnpackRowTest {

    /** A byte of TQ1_0 has five digits, which 243 of its 256 values say; others are read as well, and not written. */
    @ParameterizedTest
    @EnumSource(value = TensorFormat.class, mode = EnumSource.Mode.EXCLUDE, names = {"F32", "F16", "BF16", "TQ1_0"})
    void shouldGiveBackTheGoldenBytes(TensorFormat format) throws IOException {
        byte[] raw = Files.readAllBytes(SharedData.path("golden/dequant/" + format + ".bin"));
        int blocks = Math.toIntExact((raw.length - format.format().fileBytes(1, 0)) / format.blockBytes());
        for (int rows : new int[] {1, blocks}) {
            byte[] written = written(format, raw, rows, blocks / rows * format.blockElements());
            int codes = blocks * format.blockBytes(); // I2_S has a scale behind them, and bytes that mean nothing
            assertArrayEquals(Arrays.copyOf(raw, codes), Arrays.copyOf(written, codes), "rows=" + rows);
            if (written.length > codes) {
                assertArrayEquals(Arrays.copyOfRange(raw, codes, codes + 4), Arrays.copyOfRange(written, codes, codes + 4), "scale");
            }
        }
    }

    @ParameterizedTest
    @EnumSource(value = TensorFormat.class, names = {"F32", "F16", "BF16"})
    void shouldGiveBackPlainFloats(TensorFormat format) {
        byte[] raw = new byte[33 * 37 * format.blockBytes()];
        new SplittableRandom(5).nextBytes(raw);
        format.format().makeFinite(MemorySegment.ofArray(raw), 0, raw.length);

        assertArrayEquals(raw, written(format, raw, 33, 37));
    }

    @Test
    void shouldWriteTernaryDigitsThatAreReadAgain() {
        SplittableRandom random = new SplittableRandom(6);
        byte[] raw = new byte[33 * 2 * TensorFormat.TQ2_0.blockBytes()];
        for (int i = 0; i < raw.length; i++) {
            raw[i] = (byte) (random.nextInt(3) | random.nextInt(3) << 2 | random.nextInt(3) << 4 | random.nextInt(3) << 6);
        }
        TensorFormat.TQ2_0.format().makeFinite(MemorySegment.ofArray(raw), 0, raw.length);
        try (Arena arena = Arena.ofConfined()) {
            PanelMatrix panels = pack(TensorFormat.TQ2_0, raw, 33, 512, arena);
            MemorySegment digits = unpack(TensorFormat.TQ1_0, panels, arena);
            PanelMatrix again = PanelPacker.pack("w", TensorFormat.TQ1_0, 33, 512, digits, arena, WorkerTeam.sequential());
            assertEquals(-1, panels.panelData().mismatch(again.panelData()));
        }
    }

    private static byte[] written(TensorFormat format, byte[] raw, int rows, int columns) {
        try (Arena arena = Arena.ofConfined()) {
            return unpack(format, pack(format, raw, rows, columns, arena), arena).toArray(ValueLayout.JAVA_BYTE);
        }
    }

    private static PanelMatrix pack(TensorFormat format, byte[] raw, int rows, int columns, Arena arena) {
        MemorySegment source = arena.allocate(raw.length).copyFrom(MemorySegment.ofArray(raw));
        return PanelPacker.pack("w", format, rows, columns, source, arena, WorkerTeam.sequential());
    }

    private static MemorySegment unpack(TensorFormat format, PanelMatrix w, Arena arena) {
        MemorySegment out = arena.allocate(format.format().fileBytes(w.rows(), w.columns()));
        for (int row = 0; row < w.rows(); row++) {
            format.format().unpackRow(w.panelData(), w.panelOffset(row / 32), row % 32, w.columns(), out, row);
        }
        return out;
    }
}
