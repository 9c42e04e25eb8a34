package dev.tidestream.server.bench;

import java.io.File;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Time in which this machine's cores had work and the host ran another machine on them, as the system counts it: the eighth figure of
 * the first line of {@code /proc/stat} (proc_stat(5), <i>steal</i>), in ticks of 10 ms. Elsewhere than on Linux, and on a machine that is
 * nobody's guest, it stands still. One thread.
 */
final class StolenTime {
    private static final Path STAT = Path.of("/proc/stat");
    private static final int LINE_BYTES = 256;
    private static final int FIGURE = 8; // behind the name
    private static final long TICK_NS = 10_000_000;

    private final File file;
    private final byte[] line = new byte[LINE_BYTES];
    private final boolean there;

    StolenTime() {
        this(STAT);
    }

    /** @param file visible for tests */
    StolenTime(Path file) {
        this.file = file.toFile();
        this.there = Files.isReadable(file);
    }

    /** Since the system started, of all cores together; 0 if it does not say. */
    long ns() {
        if (!there) {
            return 0;
        }
        try (FileInputStream in = new FileInputStream(file)) {
            return ticks(line, in.readNBytes(line, 0, line.length)) * TICK_NS;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** By hand, so that there is little to compile while a stream is measured. */
    private static long ticks(byte[] line, int length) {
        long figure = 0;
        int spaces = 0;
        for (int i = 0; i < length && line[i] != '\n'; i++) {
            if (line[i] == ' ') {
                if (spaces == FIGURE) {
                    return figure;
                }
                spaces += i > 0 && line[i - 1] == ' ' ? 0 : 1;
                figure = 0;
            } else {
                figure = 10 * figure + Character.digit(line[i], 10);
            }
        }
        return spaces == FIGURE ? figure : 0;
    }
}
