package dev.tidestream.server.bench.cluster;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

class MachineTest {

    @Test
    void shouldTakeWhatWasMeasured() {
        assertEquals(1e9 / 64.2, (double) Machine.AVX512.stepNs(1, 0), 1);
        assertEquals(16e9 / 337.5, (double) Machine.AVX512.stepNs(16, 0), 1);
        assertEquals(128e9 / 593.1, (double) Machine.AVX512.stepNs(128, 0), 1);
        assertEquals(4e9 / 75, (double) Machine.AVX2.stepNs(4, 0), 1);
    }

    /** 42.2 tokens/s behind 8,000 positions, measured once. */
    @Test
    void shouldTakeLongerBehindMorePositions() {
        assertEquals(1e9 / 42.2, (double) Machine.AVX512.stepNs(1, 8000), 0.02e9 / 42.2);
    }

    @ParameterizedTest
    @EnumSource
    void shouldTakeLongerForMoreRowsAndLessForEach(Machine machine) {
        for (int rows = 2; rows <= machine.maxRows(); rows++) {
            assertTrue(machine.stepNs(rows, 0) > machine.stepNs(rows - 1, 0), "rows=" + rows);
            assertTrue(machine.stepNs(rows, 0) / rows <= machine.stepNs(1, 0), "rows=" + rows);
        }
    }
}
