package dev.tidestream.model.quantisation;

import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import dev.tidestream.model.architecture.TensorPlan.Planned;
import dev.tidestream.model.architecture.TensorRole;
import dev.tidestream.model.format.TensorFormat;

import static dev.tidestream.model.format.TensorFormat.F16;
import static dev.tidestream.model.format.TensorFormat.F32;
import static dev.tidestream.model.format.TensorFormat.I2_S;
import static dev.tidestream.model.format.TensorFormat.Q4_K;
import static dev.tidestream.model.format.TensorFormat.Q5_0;
import static dev.tidestream.model.format.TensorFormat.Q6_K;
import static dev.tidestream.model.format.TensorFormat.Q8_0;
import static dev.tidestream.model.format.TensorFormat.TQ2_0;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class WeightFormatsTest {

    private static Planned matrix(TensorRole role, long columns) {
        return new Planned(role, OptionalInt.empty(), false, List.of(100L, columns));
    }

    private static WeightFormats formats(TensorFormat weights) {
        return new WeightFormats(Optional.of(weights), Optional.empty());
    }

    @Test
    void shouldLeaveWhatIsNoMatrixAndPositions() {
        Planned norm = new Planned(TensorRole.OUTPUT_NORM, OptionalInt.empty(), false, List.of(256L));
        assertEquals(F32, formats(Q8_0).of(norm, true, F32));
        assertEquals(F16, formats(Q8_0).of(matrix(TensorRole.POSITIONS, 256), true, F16));
    }

    @Test
    void shouldGiveTheHeadSixBitsAtLeast() {
        assertEquals(Q4_K, formats(Q4_K).of(matrix(TensorRole.QUERY, 256), true, F16));
        assertEquals(Q6_K, formats(Q4_K).of(matrix(TensorRole.EMBEDDING, 256), true, F16));
        assertEquals(Q4_K, formats(Q4_K).of(matrix(TensorRole.EMBEDDING, 256), false, F16), "a table for lookups only");
        assertEquals(Q6_K, formats(Q4_K).of(matrix(TensorRole.OUTPUT, 256), false, F16));
        assertEquals(Q8_0, formats(Q8_0).of(matrix(TensorRole.OUTPUT, 256), false, F16));
        assertEquals(F32, formats(F32).of(matrix(TensorRole.OUTPUT, 256), false, F16));
    }

    @Test
    void shouldTakeTheFormatOfTheHeadForAllThatIsTied() {
        WeightFormats head = new WeightFormats(Optional.empty(), Optional.of(Q8_0));
        assertEquals(Q8_0, head.of(matrix(TensorRole.EMBEDDING, 64), true, F16));
        assertEquals(F16, head.of(matrix(TensorRole.EMBEDDING, 64), false, F16));
        assertEquals(Q8_0, head.of(matrix(TensorRole.OUTPUT, 64), false, F16));
        assertEquals(F16, head.of(matrix(TensorRole.DOWN, 64), true, F16));
        assertEquals("head-format=q8_0", head.words());
        assertEquals("weights=q4_k, head-format=q8_0", new WeightFormats(Optional.of(Q4_K), Optional.of(Q8_0)).words());
        assertTrue(WeightFormats.AS_THEY_ARE.asTheyAre() && !head.asTheyAre());
    }

    @Test
    void shouldLeaveTernaryLayersUnlessAnotherTernaryFormatIsAskedFor() {
        assertEquals(I2_S, formats(Q8_0).of(matrix(TensorRole.UP, 256), true, I2_S));
        assertEquals(TQ2_0, formats(TQ2_0).of(matrix(TensorRole.UP, 256), true, I2_S));
        assertEquals(Q8_0, formats(Q8_0).of(matrix(TensorRole.EMBEDDING, 256), true, F16));
    }

    @ParameterizedTest
    @CsvSource({"Q4_K,Q5_0,F16", "Q5_K,Q5_1,F16", "Q6_K,Q8_0,F16", "Q2_K,IQ4_NL,F16", "Q3_K,IQ4_NL,F16", "TQ1_0,Q4_0,F16", "Q8_0,Q8_0,F16",
        "F16,F16,F16", "BF16,BF16,BF16"})
    void shouldFallBackWhereRowsAreNoWholeNumberOfBlocks(TensorFormat format, TensorFormat of96, TensorFormat of40) {
        assertEquals(format, format.fitting(512));
        assertEquals(of96, format.fitting(96));
        assertEquals(of40, format.fitting(40));
        assertEquals(of96, formats(format).of(matrix(TensorRole.UP, 96), true, F32));
    }

    @Test
    void shouldKeepBitsThatAreInTheFormatAlready() {
        assertEquals(Q5_0, formats(Q4_K).of(matrix(TensorRole.UP, 96), true, Q5_0));
    }

    @Test
    void shouldRefuseAFormatThatCannotBeWrittenRowByRow() {
        assertFalse(WeightFormats.choices().contains(I2_S));
        assertThrows(IllegalArgumentException.class, () -> formats(I2_S));
    }
}
