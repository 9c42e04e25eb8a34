package dev.tidestream.console;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.BindException;
import java.net.ConnectException;
import java.net.UnknownHostException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ReadPendingException;
import java.nio.channels.UnresolvedAddressException;
import java.nio.charset.MalformedInputException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class ReasonsTest {
    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    Path folder;

    @Test
    void shouldSayWhatTheSystemSaysOfFiles() {
        Map<FileSystemException, String> reasons = Map.of(
                new NoSuchFileException("a"), "no such file",
                new AccessDeniedException("a"), "permission denied",
                new FileAlreadyExistsException("a"), "it exists already",
                new DirectoryNotEmptyException("a"), "the directory is not empty",
                new FileSystemException("a", null, "No space left on device"), "no space left on device",
                new FileSystemException("a"), "file system");
        reasons.forEach((failure, reason) -> {
            assertEquals(reason, Reasons.of(failure));
            assertEquals("a: " + reason, Reasons.message(failure));
        });
        assertEquals("a -> b: permission denied", Reasons.message(new AccessDeniedException("a", "b", null)));
    }

    @Test
    void shouldSayWhatTheSystemReallySays() {
        Path directory = folder.resolve("d");
        assertEquals("no such file", Reasons.of(assertThrows(IOException.class, () -> Files.readString(directory))));
        assertEquals("is a directory", Reasons.of(assertThrows(IOException.class, () -> Files.readString(folder))));
        Path file = folder.resolve("f");
        assertEquals("not a directory", Reasons.of(assertThrows(IOException.class, () -> {
            Files.writeString(file, "");
            Files.readString(file.resolve("below"));
        })));
        assertEquals("it is not UTF-8", Reasons.of(assertThrows(IOException.class, () -> {
            Files.write(file, new byte[] {(byte) 0xE9});
            Files.readString(file);
        })));
    }

    @Test
    void shouldSayWhatTheNetworkSays() {
        assertEquals("address already in use", Reasons.of(new BindException("Address already in use")));
        assertEquals("connection refused", Reasons.of(new ConnectException()));
        ConnectException hidden = new ConnectException();
        hidden.initCause(new ConnectException().initCause(new UnresolvedAddressException()));
        assertEquals("unknown host", Reasons.of(hidden));
        assertEquals("unknown host: nowhere", Reasons.of(new UnknownHostException("nowhere")));
        assertEquals("unknown host", Reasons.of(new UnresolvedAddressException()));
        assertEquals("closed in the meantime", Reasons.of(new ClosedChannelException()));
    }

    /** An exception that says what was done, another that only carries, and one that has nothing to say. */
    @Test
    void shouldFollowCauses() {
        AccessDeniedException denied = new AccessDeniedException("/m.gguf");
        assertEquals("/m.gguf: cannot be read: permission denied",
                Reasons.message(new UncheckedIOException("/m.gguf: cannot be read", denied)));
        assertEquals("cannot keep the model: /m.gguf: permission denied",
                Reasons.message(new UncheckedIOException("cannot keep the model", denied)));
        assertEquals("/m.gguf: permission denied", Reasons.message(new UncheckedIOException(denied)));
        assertEquals("permission denied", Reasons.of(new ExecutionException(new CompletionException(denied))));
        assertEquals("permission denied", Reasons.of(new RuntimeException(denied)));
        assertEquals("too long: tokens=5", Reasons.message(new IllegalStateException("too long: tokens=5", denied)));
        assertEquals("read pending", Reasons.of(new ReadPendingException()));
        assertEquals("it is not UTF-8", Reasons.of(new MalformedInputException(1)));
    }

    @Test
    void shouldSayWhatToChangeWhenMemoryIsOut() {
        assertTrue(Reasons.of(new OutOfMemoryError("Java heap space")).matches(
                "out of memory: Java heap space; the heap has \\d+ MiB: more with TIDESTREAM_JAVA_OPTS=-Xmx4g"));
        assertTrue(Reasons.of(new OutOfMemoryError("Cannot reserve 9 bytes of direct buffer memory (allocated: 1, limit: 2)"))
                .endsWith("more with TIDESTREAM_JAVA_OPTS=-XX:MaxDirectMemorySize=1g"));
        assertTrue(Reasons.of(new OutOfMemoryError("unable to create native thread: possibly out of memory"))
                .contains("fewer --threads"));
        assertTrue(Reasons.of(new OutOfMemoryError("the system has no memory to map: bytes=7")).contains("bytes=7: a smaller model"));
        assertTrue(Reasons.of(new OutOfMemoryError()).contains("the system has none left"));
    }

    @Test
    void shouldNeverNameAClass() {
        for (Throwable failure : List.of(new RuntimeException(), new IOException(new IllegalStateException()),
                new UncheckedIOException(new IOException()), new ExecutionException(new AccessDeniedException("x")),
                new NullPointerException(), new Error() { })) {
            String said = Reasons.message(failure);
            assertFalse(said.isBlank() || said.contains("java.") || said.contains("Exception") || said.equals("null"), said);
        }
    }
}
