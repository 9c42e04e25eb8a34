package dev.tidestream.server.app;

import java.nio.file.Path;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The program of the README, with the classes of this module. */
class EmbeddedExampleTest {
    @TempDir
    Path temp;

    @Test
    void shouldServeAStream() throws Exception {
        EmbeddedExample.run(System.getProperty("java.class.path"), temp);
    }
}
