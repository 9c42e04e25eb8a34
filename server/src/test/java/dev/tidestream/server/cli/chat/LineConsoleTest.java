package dev.tidestream.server.cli.chat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;

import org.jline.terminal.Terminal;
import org.jline.terminal.Terminal.Signal;
import org.jline.terminal.impl.DumbTerminal;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.server.cli.chat.ChatConsole.Input;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** A terminal of JLine's that can do nothing, with typed text. */
class LineConsoleTest {
    private final ByteArrayOutputStream shown = new ByteArrayOutputStream();

    @TempDir
    private Path folder;

    private Terminal terminal(String typed) throws IOException {
        return new DumbTerminal("test", "dumb", new ByteArrayInputStream(typed.getBytes(StandardCharsets.UTF_8)), shown,
                StandardCharsets.UTF_8);
    }

    @Test
    void shouldReadLinesAsTheyAre() throws IOException {
        try (LineConsole console = new LineConsole(terminal("it's \"so\" \\ !! $HOME é\nb\\\n"), Optional.empty())) {
            assertEquals(new Input.Line("it's \"so\" \\ !! $HOME é"), console.read(false));
            assertEquals(new Input.Line("b\\"), console.read(true));
            assertEquals(new Input.End(), console.read(false));
        }
    }

    @Test
    void shouldStopAnAnswerAtCtrlCAndGoOn() throws IOException {
        Terminal terminal = terminal("next\n");
        try (LineConsole console = new LineConsole(terminal, Optional.empty())) {
            StopSwitch stop = new StopSwitch();
            console.stoppable(stop, () -> {
                assertFalse(stop.requested());
                terminal.raise(Signal.INT);
                assertTrue(stop.requested());
            });
            assertEquals(new Input.Line("next"), console.read(false));
        }
    }

    @Test
    void shouldShowTextThatDoesNotAct() throws IOException {
        try (LineConsole console = new LineConsole(terminal(""), Optional.empty())) {
            console.answer("a\u001b[2Jb\nc");
            console.remark("d\u0007");
        }
        assertEquals("a\\u001b[2Jb\ncd\\u0007\n", shown.toString(StandardCharsets.UTF_8).replace("\r", ""));
    }

    @Test
    void shouldKeepTheHistoryForItsOwner() throws IOException {
        Path file = folder.resolve("state/tidestream/chat_history");
        try (LineConsole console = new LineConsole(terminal("first\nsecond\n"), Optional.of(file))) {
            console.read(false);
            console.read(false);
        }
        assertEquals("first\nsecond\n", Files.readString(file));
        assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
        try (LineConsole console = new LineConsole(terminal("third\n"), Optional.of(file))) {
            console.read(false);
        }
        assertEquals("first\nsecond\nthird\n", Files.readString(file));
        assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
    }

    @Test
    void shouldDoWithoutAHistory() throws IOException {
        Path blocked = Files.createFile(folder.resolve("file")).resolve("chat_history");
        try (LineConsole console = new LineConsole(terminal("first\n"), Optional.of(blocked))) {
            assertEquals(new Input.Line("first"), console.read(false));
        }
        assertTrue(shown.toString(StandardCharsets.UTF_8).contains("(no history: " + blocked), shown::toString);
    }

    @Test
    void shouldFindTheStateDirectory() {
        assertEquals(Path.of("/s/tidestream/chat_history"), HistoryFile.usual(_ -> "/s", "/home/u"));
        assertEquals(Path.of("/home/u/.local/state/tidestream/chat_history"), HistoryFile.usual(_ -> null, "/home/u"));
        assertEquals(Path.of("/home/u/.local/state/tidestream/chat_history"), HistoryFile.usual(_ -> "relative", "/home/u"));
    }
}
