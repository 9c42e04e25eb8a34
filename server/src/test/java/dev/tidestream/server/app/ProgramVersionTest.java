package dev.tidestream.server.app;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;

class ProgramVersionTest {
    private static Optional<String> commit(String file) throws IOException {
        return ProgramVersion.commit(new ByteArrayInputStream(file.getBytes(StandardCharsets.ISO_8859_1)));
    }

    @Test
    void shouldNameTheCommitIfTheBuildKnewIt() throws IOException {
        assertEquals(Optional.of("0123abc"), commit("git.commit.id.abbrev=0123abc\ngit.dirty=false\n"));
        assertEquals(Optional.of("0123abc-dirty"), commit("git.commit.id.abbrev=0123abc\ngit.dirty=true\n"));
        assertEquals(Optional.empty(), commit("git.commit.id.abbrev=\n"));
        assertEquals(Optional.empty(), ProgramVersion.commit(null));
    }
}
