package dev.tidestream.server.app;

import java.io.UncheckedIOException;
import java.nio.file.NoSuchFileException;
import java.util.ArrayDeque;
import java.util.HashSet;
import java.util.List;
import java.util.Queue;
import java.util.Set;

import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

class ModelFingerprintsTest {
    private static ModelFingerprints of(List<String> content, String precision) {
        return new ModelFingerprints(() -> content, version -> version < 3 ? "same" : "other", precision, Runnable::run);
    }

    @Test
    void shouldNameWhatDecidesTheBitsAndNothingElse() {
        List<String> content = List.of("file", "prompts");
        String name = of(content, "p").of(1, "packed");
        assertTrue(name.matches("ts_[0-9a-f]{12}"), name);
        assertEquals(name, of(List.of("file", "prompts"), "p").of(1, "packed"), "of another process");
        assertEquals(name, of(content, "p").of(2, "packed"), "a version of the same content");
        Set<String> all = new HashSet<>(List.of(
                name,
                of(content, "p").of(3, "packed"),
                of(content, "p").of(1, "cached-transpose"),
                of(content, "q").of(1, "packed"),
                of(List.of("file", "other template"), "p").of(1, "packed"),
                of(List.of("other file", "prompts"), "p").of(1, "packed")));
        assertEquals(6, all.size());
    }

    /** A file that cannot be read once may be there again. */
    @Test
    void shouldTryAgainAfterAFailure() {
        Queue<Runnable> reading = new ArrayDeque<>();
        boolean[] fails = {true};
        ModelFingerprints names = new ModelFingerprints(() -> {
            if (fails[0]) {
                throw new UncheckedIOException(new NoSuchFileException("scripted"));
            }
            return List.of("file");
        }, version -> "", "p", reading::add);
        assertFalse(names.ready().isDone());
        assertFalse(names.ready().isDone());
        assertEquals(1, reading.size(), "it is read once");
        reading.remove().run();
        fails[0] = false;
        assertFalse(names.ready().isDone());
        reading.remove().run();
        assertFalse(names.ready().isCompletedExceptionally());
        assertTrue(names.of(1, "packed").startsWith("ts_"));
        assertTrue(reading.isEmpty());
    }
}
