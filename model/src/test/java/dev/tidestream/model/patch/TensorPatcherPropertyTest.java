package dev.tidestream.model.patch;

import java.lang.foreign.Arena;
import java.util.List;
import java.util.SplittableRandom;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.WorkerTeam;

/** Random patches on random tensors, one upon another, against the oracle. */
class TensorPatcherPropertyTest {

    @ParameterizedTest
    @EnumSource(value = TensorFormat.class, mode = EnumSource.Mode.MATCH_NONE, names = {"IQ4_NL", "Q._K", "TQ.*", "I2_S"})
    void shouldDoWhatTheOracleDoes(TensorFormat format) {
        long seed = System.nanoTime();
        SplittableRandom random = new SplittableRandom(seed);
        for (int tensor = 0; tensor < 30; tensor++) {
            int rows = 1 + random.nextInt(random.nextBoolean() ? 34 : 150);
            int columns = format.quantised() ? 32 * (1 + random.nextInt(5)) : 1 + random.nextInt(140);
            try (Arena arena = Arena.ofShared()) {
                PanelMatrix matrix = PatchCases.base(format, rows, columns, random, arena);
                for (int step = 0; step < 6; step++) {
                    PatchKind kind = any(List.of(PatchKind.values()), random);
                    PatchDtype dtype = any(List.of(PatchDtype.values()), random);
                    String where = "seed=%d, tensor=%d (%d, %d), step=%d, %s %s"
                            .formatted(seed, tensor, rows, columns, step, kind, dtype);
                    PatchCases.Case patch = PatchCases.random(kind, dtype, matrix, random);
                    WorkerTeam team = random.nextBoolean() ? WorkerTeam.sequential() : new BackwardsTeam(1 + random.nextInt(4));
                    matrix = PatchCases.checked(matrix, patch, arena, team, where);
                }
            }
        }
    }

    @Test
    void shouldDoWhatTheOracleDoesAtEveryRank() {
        SplittableRandom random = new SplittableRandom(5);
        for (int rank = 1; rank <= 40; rank++) {
            try (Arena arena = Arena.ofShared()) {
                PanelMatrix base = PatchCases.base(TensorFormat.Q8_0, 40, 64, random, arena);
                PatchCases.Case patch = PatchCases.lowRank(PatchDtype.F32, 40, 64, rank, random);
                PatchCases.checked(base, patch, arena, WorkerTeam.sequential(), "rank=" + rank);
            }
        }
    }

    private static <T> T any(List<T> of, SplittableRandom random) {
        return of.get(random.nextInt(of.size()));
    }
}
