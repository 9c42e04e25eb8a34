package dev.tidestream.model.gguf;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class GgufFileWriterTest {
    private static final int PATIENCE_S = 60;

    @TempDir
    private Path folder;

    private static GgufFileWriter writer() {
        return new GgufFileWriter(new LinkedHashMap<>(), List.of(new GgufFileWriter.Tensor("a", GgmlType.F32, List.of(32L))));
    }

    private List<String> names() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> String.valueOf(file.getFileName())).toList();
        }
    }

    @Test
    void shouldLeaveTheFileAlone() throws IOException {
        Path file = folder.resolve("model.gguf");
        writer().write(file, false, (tensor, sink) -> sink.write(MemorySegment.ofArray(new byte[128])), _ -> { });
        assertEquals(List.of("model.gguf"), names());
        assertEquals(writer().fileBytes(), Files.size(file));
    }

    @Test
    void shouldLeaveNothingIfWritingFails() throws IOException {
        GgufFileWriter writer = writer();
        Path file = folder.resolve("model.gguf");
        assertThrows(IOException.class, () -> writer.write(file, false, (_, _) -> {
            throw new IOException("no data");
        }, _ -> { }));
        assertEquals(List.of(), names());
    }

    private static String classes(Class<?> one) {
        return Path.of(URI.create(one.getProtectionDomain().getCodeSource().getLocation().toString())).toString();
    }

    /** A user's Ctrl-C ends the process in the same way. */
    @Test
    @DisabledOnOs(OS.WINDOWS) // there is no signal that lets a process clean up
    void shouldLeaveNothingIfTheProcessIsInterrupted() throws IOException, InterruptedException {
        Process process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-cp",
                classes(GgufFileWriter.class) + File.pathSeparator + classes(Interrupted.class), Interrupted.class.getName(),
                folder.resolve("model.gguf").toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT).start();
        try (BufferedReader out = process.inputReader(StandardCharsets.UTF_8)) {
            assertEquals("writing", out.readLine());
            assertTrue(names().getFirst().endsWith(".tmp"), names().toString());
            process.destroy();
            assertTrue(process.waitFor(PATIENCE_S, TimeUnit.SECONDS), "it ends");
            assertEquals(List.of(), names());
        } finally {
            process.destroyForcibly();
        }
    }

    /** A process that is in the middle of a file. */
    static final class Interrupted {
        private Interrupted() {}

        public static void main(String[] args) throws IOException {
            writer().write(Path.of(args[0]), false, (_, _) -> {
                System.out.println("writing");
                try {
                    new CountDownLatch(1).await(); // until a signal comes
                } catch (InterruptedException e) {
                    throw new IOException(e);
                }
            }, _ -> { });
        }
    }
}
