package dev.tidestream.server.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

class StolenTimeTest {
    @TempDir
    Path folder;

    private long ns(String stat) throws IOException {
        return new StolenTime(Files.writeString(folder.resolve("stat"), stat)).ns();
    }

    @Test
    void shouldReadTheTicksOfAllCoresTogether() throws IOException {
        assertEquals(47_240_000_000L,
                ns("cpu  3652432 66546 263498 2954337 5862 0 2390 4724 0 0\ncpu0 1813395 36518 128976 1491313 1407 0 659 2342 0 0\n"));
    }

    @Test
    void shouldStandStillWhereNobodyCounts() throws IOException {
        assertEquals(0, new StolenTime(folder.resolve("none")).ns());
        assertEquals(0, ns(""));
        assertEquals(0, ns("cpu  1 2 3 4\n"));
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void shouldNeverGoBackOnThisMachine() {
        StolenTime stolen = new StolenTime();
        long before = stolen.ns();
        assertTrue(before >= 0);
        assertTrue(stolen.ns() >= before);
    }
}
