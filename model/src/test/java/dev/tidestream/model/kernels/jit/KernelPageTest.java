package dev.tidestream.model.kernels.jit;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.IntStream;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.format.base.BlockBytes;
import dev.tidestream.model.format.base.LaneBlock;
import dev.tidestream.model.format.base.PanelLayout;
import dev.tidestream.model.format.q40.Q40;
import dev.tidestream.model.kernels.KernelSelection;
import dev.tidestream.model.kernels.vector.batch.VectorBatch;
import dev.tidestream.model.kernels.vector.decode.VectorDecode;
import dev.tidestream.model.machine.Assembler;
import dev.tidestream.model.tensor.ActivationEncoding;
import dev.tidestream.model.tensor.Activations;
import dev.tidestream.model.tensor.Kernels;
import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.tensor.panel.PanelPacker;

import static dev.tidestream.model.format.base.PanelLayout.BLOCK;
import static dev.tidestream.model.format.base.PanelLayout.ROWS;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Holds docs/kernels.md to the code: which class serves which format, and the numbers of its example. */
class KernelPageTest {
    private static final String GENERIC = "generic";
    private static final int ROW = 1;
    private static final HexFormat HEX = HexFormat.ofDelimiter(" ");

    private static String page() throws IOException {
        return Files.readString(Path.of("..", "docs", "kernels.md"));
    }

    private static void assertOnPage(String text) throws IOException {
        assertTrue(page().contains(text), () -> "docs/kernels.md lacks: " + text);
    }

    // ---- which class serves

    @ParameterizedTest
    @EnumSource
    void shouldNameTheClassOfEachFormatAndTechnique(TensorFormat format) throws IOException {
        List<String> cells = page().lines().filter(line -> line.startsWith("| " + format + " |")).findFirst()
                .map(line -> Arrays.stream(line.split("\\|")).map(String::strip).skip(2).toList()).orElseThrow();
        assertEquals(format.rounding().name(), cells.get(0));
        if (format.quantised()) {
            assertEquals(recipe(Recipes.QUADS, format, new Assembler()), cells.get(1), "AVX2, int8");
            assertEquals(recipe(Recipes.WIDE, format, new Assembler()), cells.get(3), "AVX-512, int8");
        }
        assertEquals(floats(format, recipe(Recipes.FLOATS, format, new Assembler())), cells.get(2), "AVX2, floats");
        boolean wide = Recipes.WIDE.containsKey(format) && Recipes.WIDE.get(format).apply(new Assembler()).pairs() > 0;
        assertEquals(floats(format, wide ? recipe(Recipes.WIDE, format, new Assembler()) : GENERIC), cells.get(4), "AVX-512, floats");
        for (boolean codes : format.quantised() ? new boolean[] {true, false} : new boolean[] {false}) {
            String[] vector = cells.get(codes ? 5 : 6).split(" · ", -1);
            assertEquals(VectorDecode.knows(format, codes), !vector[0].equals(GENERIC), "one row, codes=" + codes);
            assertEquals(VectorBatch.knows(format, codes), !vector[1].equals(GENERIC), "many rows, codes=" + codes);
        }
    }

    private static <A, R> String recipe(Map<TensorFormat, Function<A, R>> recipes, TensorFormat format, A argument) {
        return recipes.containsKey(format) ? recipes.get(format).apply(argument).getClass().getSimpleName() : GENERIC;
    }

    /** Chains and plain columns are the same for both levels. */
    private static String floats(TensorFormat format, String ofLevel) {
        return Recipes.PLAIN.containsKey(format) ? "PlainColumn." + Recipes.PLAIN.get(format)
                : Recipes.CHAINS.containsKey(format) ? "ChainCode" + format.name().replace("_", "") : ofLevel;
    }

    // ---- how one row becomes a logit

    private static float weight(int row, int column) {
        return ((row * 7 + column * 5) % 31 - 15) * (row + 8) / 512f;
    }

    private static float activation(int column) {
        return (column * 11 % 17 - 8) / 4f;
    }

    @Test
    void shouldShowTheNumbersOfOneRow() throws IOException {
        Q40 format = new Q40();
        int fileBytes = format.shape().fileBytes();
        byte[] file = new byte[ROWS * fileBytes];
        for (int row = 0; row < ROWS; row++) {
            float[] values = new float[BLOCK];
            for (int k = 0; k < BLOCK; k++) {
                values[k] = weight(row, k);
            }
            BlockBytes block = format.newBlock();
            format.encode(values, block);
            MemorySegment.ofArray(file).set(PanelLayout.SHORT, (long) row * fileBytes, block.d);
            System.arraycopy(block.bytes, 0, file, row * fileBytes + Short.BYTES, block.bytes.length);
        }
        assertOnPage("file:   " + HEX.formatHex(file, ROW * fileBytes, (ROW + 1) * fileBytes));
        try (Arena arena = Arena.ofConfined()) {
            PanelMatrix w = PanelPacker.pack("w", TensorFormat.Q4_0, ROWS, BLOCK, MemorySegment.ofArray(file), arena,
                    WorkerTeam.sequential());
            int position = PanelLayout.position(ROW);
            byte[] panel = w.panelData().toArray(ValueLayout.JAVA_BYTE);
            assertOnPage("scales: " + HEX.formatHex(panel, 0, 8) + " …");
            assertOnPage("line 0: " + HEX.formatHex(panel, 64, 72) + " …");
            assertOnPage("line 1: " + HEX.formatHex(panel, 96, 104) + " …");
            assertOnPage("position %d, bytes %d, %d and %d of the panel"
                    .formatted(position, 2 * position, 64 + position, 96 + position));
            LaneBlock block = new LaneBlock();
            format.lane(w.panelData(), 0, ROW, 0, block);
            assertOnPage("quants: " + numbers(block.quants));
            assertOnPage("d:      " + block.d);
            assertActivationsAndLogit(w, block);
        }
    }

    private static void assertActivationsAndLogit(PanelMatrix w, LaneBlock block) throws IOException {
        Kernels scalar = KernelSelection.scalar();
        Activations x = new Activations(1, BLOCK);
        x.reset(1);
        for (int k = 0; k < BLOCK; k++) {
            x.values()[k] = activation(k);
        }
        x.quantise(scalar, WorkerTeam.sequential());
        ActivationEncoding encoding = scalar.encoding(x);
        byte[] quants = new byte[BLOCK];
        int dot = 0;
        int sum = 0;
        for (int k = 0; k < BLOCK; k++) {
            quants[k] = (byte) encoding.quant(0, k);
            dot += quants[k] * block.quants[k];
            sum += quants[k];
        }
        float dx = encoding.scale(0, 0);
        assertOnPage("x:      " + numbers(quants));
        assertOnPage("dx:     " + dx);
        assertOnPage("dot:    " + dot);
        assertOnPage("unsigned dot %d, bias correction -8 · %d = %d".formatted(dot + 8 * sum, sum, -8 * sum));
        float logit = Math.fma(block.d * dx, dot, 0f);
        assertOnPage("logit:  fma(%s · %s = %s, %d, 0) = %s".formatted(block.d, dx, block.d * dx, dot, logit));
        double exact = IntStream.range(0, BLOCK).mapToDouble(k -> (double) weight(ROW, k) * activation(k)).sum();
        assertOnPage("exact:  " + String.format(Locale.ROOT, "%.6f", exact));
        for (Kernels kernels : List.of(scalar, KernelSelection.vector(), KernelSelection.fastest())) {
            float[] out = new float[ROWS];
            x.quantise(kernels, WorkerTeam.sequential());
            kernels.multiply(w, x, out, ROWS, 0, 0, 1);
            assertEquals(logit, out[ROW], kernels.title());
        }
    }

    private static String numbers(byte[] values) {
        return IntStream.range(0, values.length).mapToObj(i -> String.valueOf(values[i])).reduce((a, b) -> a + " " + b).orElseThrow();
    }
}
