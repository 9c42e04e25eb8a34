package dev.tidestream.server.cli;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Commands in processes of their own: other locales and languages, and outputs that take nothing. */
class MainProcessTest {
    private static final File FULL = new File("/dev/full");

    @TempDir
    Path folder;

    /** A shell runs {@code "$@"}, so that arguments may be bytes of any kind. */
    private Run shell(Map<String, String> environment, File output, List<String> jvmOptions, String script)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("/bin/sh", "-c", script, "sh",
                Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
                "--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED"));
        command.addAll(jvmOptions);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName()));
        Path err = folder.resolve("err");
        ProcessBuilder builder = new ProcessBuilder(command).redirectOutput(output).redirectError(err.toFile());
        builder.environment().keySet().removeIf(name -> name.equals("LANG") || name.startsWith("LC_"));
        builder.environment().putAll(environment);
        Process process = builder.redirectInput(new File("/dev/null")).start();
        assertTrue(process.waitFor(120, TimeUnit.SECONDS));
        String said = Files.readString(err).replace("WARNING: Using incubator modules: jdk.incubator.vector\n", "");
        return new Run(process.exitValue(), output.equals(FULL) ? "" : Files.readString(output.toPath()), said);
    }

    private Run shell(Map<String, String> environment, String script) throws IOException, InterruptedException {
        return shell(environment, folder.resolve("out").toFile(), List.of(), script);
    }

    @ParameterizedTest
    @ValueSource(strings = {"C", "POSIX", "C.UTF-8", "xx_XX.UTF-8"})
    void shouldReadAndWriteUtf8InEveryLocale(String locale) throws Exception {
        Run run = shell(Map.of("LC_ALL", locale),
                "exec \"$@\" tokenize --json --no-special \"$(printf 'caf\\303\\251 \\360\\237\\221\\215')\"");
        assertEquals("", run.err());
        assertTrue(run.out().startsWith("{\"text\":\"café 👍\",\"tokens\":["), run.out());
    }

    @Test
    void shouldRefuseArgumentsThatAreNotUtf8() throws Exception {
        Run expected = new Run(2, "", "tidestream: argument 2 is not UTF-8: caf\\xe9\n");
        assertEquals(expected, shell(Map.of("LC_ALL", "C"), "exec \"$@\" tokenize \"$(printf 'caf\\351')\""));
        assertEquals(expected, shell(Map.of("LC_ALL", "C.UTF-8"), "exec \"$@\" tokenize \"$(printf 'caf\\351')\""));
    }

    @Test
    void shouldSayWhyAFileCannotBeNamed() throws Exception {
        Run run = shell(Map.of("LC_ALL", "C"), "exec \"$@\" inspect \"$(printf 'caf\\303\\251.gguf')\"");
        assertEquals(2, run.code());
        assertTrue(run.err().startsWith("tidestream: FILE: the locale's encoding (") && run.err().contains(" has no such name, "
                + "LC_ALL=C.UTF-8 has: 'café.gguf' (see "), run.err());
    }

    /** What a program reads has the digits of ASCII, and letters change their case by the same rules everywhere. */
    @ParameterizedTest
    @CsvSource({"ar, EG", "tr, TR", "th, TH"})
    void shouldNotWriteInTheUsersLanguage(String language, String country) throws Exception {
        Run run = shell(Map.of(), folder.resolve("out").toFile(),
                List.of("-Duser.language=" + language, "-Duser.country=" + country),
                "exec \"$@\" serve --port 70000");
        assertEquals(new Run(2, "", "tidestream: --port must be 0 to 65535: 70000 (see tidestream serve --help)\n"), run);
    }

    @ParameterizedTest
    @ValueSource(strings = {"tokenize --ids Once", "tokenize --json Once", "inspect", "inspect --json", "--help", "--version",
        "generate --help", "admin status --help", "generate -n 3 Once", "generate -n 3 --json Once",
        "bench --repeat 1 --prompt-tokens 2 --gen-tokens 2 --batch 1"})
    void shouldFailIfTheOutputCannotBeWritten(String command) throws Exception {
        Assumptions.assumeTrue(FULL.exists(), "no /dev/full");
        assertEquals(new Run(1, "", "tidestream: cannot write to standard output: no space left on device\n"),
                shell(Map.of("LC_ALL", "C.UTF-8"), FULL, List.of(), "exec \"$@\" " + command));
    }

    /** The exit code of the first in a pipe whose second has ended at once, and not a word. */
    @ParameterizedTest
    @ValueSource(strings = {"tokenize Once", "generate -n 400 Once", "--help"})
    void shouldEndQuietlyWhenTheReaderHasGone(String command) throws Exception {
        Run run = shell(Map.of("LC_ALL", "C.UTF-8"), "mkfifo %1$s/pipe; (exec 3<%1$s/pipe) & exec 4>%1$s/pipe; wait; \"$@\" %2$s >&4"
                .formatted(folder, command));
        assertEquals(new Run(1, "", ""), run);
    }

    @Test
    void shouldSayThatTheHeapIsTooSmall() throws Exception {
        Run run = shell(Map.of(), folder.resolve("out").toFile(), List.of("-Xmx20m"), "exec \"$@\" generate -n 2 Once");
        assertEquals(1, run.code(), run.err());
        assertTrue(run.err().startsWith("tidestream: out of memory: "), run.err());
        assertTrue(run.err().contains("TIDESTREAM_JAVA_OPTS=-Xmx"), run.err());
    }
}
