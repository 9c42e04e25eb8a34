package dev.tidestream.server.cli;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.tidestream.model.kernels.KernelSelection;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

/** Our main class in a JVM that was started without the Vector API, as {@code java -jar} starts it. */
class JvmOptionsTest {
    @TempDir
    Path folder;

    private Run java(List<String> options, String... args) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-XX:TieredStopAtLevel=1"));
        command.addAll(options);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName()));
        command.addAll(Arrays.asList(args));
        Path out = folder.resolve("out");
        Path err = folder.resolve("err");
        Process process = new ProcessBuilder(command).redirectOutput(out.toFile()).redirectError(err.toFile()).start();
        assertTrue(process.waitFor(60, TimeUnit.SECONDS));
        return new Run(process.exitValue(), Files.readString(out), Files.readString(err));
    }

    @ParameterizedTest
    @ValueSource(strings = {"serve", "generate --prompt x", "logits --tokens 1 --out x", "bench", "bench head", "bench update"})
    void shouldSayHowToStartTheJvmForWhatComputesWithoutGeneratedKernels(String command) throws Exception {
        assertRefused(java(List.of("-Dtidestream.machine.code=off"), command.split(" ")));
    }

    @Test
    void shouldSayHowToStartTheJvmForWhatMeasuresWithTheVectorApi() throws Exception {
        assertRefused(java(List.of(), "bench", "head"));
    }

    private static void assertRefused(Run run) {
        assertEquals(2, run.code(), run.err());
        assertEquals(1, run.err().lines().count(), run.err());
        assertTrue(run.err().startsWith("tidestream: this JVM was started without --add-modules=jdk.incubator.vector:"
                + " use ./tidestream "), run.err());
        assertTrue(run.err().contains("java --add-modules=jdk.incubator.vector "), run.err());
        assertEquals("", run.out());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "--help", "--version", "serve --help", "bench head --help", "bench --version",
            "tokenize --ids Once"})
    void shouldNeedNothingForTheRest(String command) throws Exception {
        Run run = java(List.of(), command.isEmpty() ? new String[0] : command.split(" "));
        assertEquals(0, run.code(), run.err());
        assertEquals("", run.err());
        assertTrue(!run.out().isEmpty());
    }

    @Test
    void shouldComputeWithGeneratedKernels() throws Exception {
        assumeTrue(KernelSelection.generated().isPresent(), "no generated kernels here");
        Run run = java(List.of("--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow"),
                "generate", "--prompt", "Once", "-n", "3", "--temperature", "0");
        assertEquals(0, run.code(), run.err());
        assertFalse(run.out().isEmpty());
        assertFalse(run.err().contains("incubator"), run.err());
    }

    @Test
    void shouldNameTheJarThatWasStarted() {
        assertTrue(JvmOptions.advice("server/target/tidestream-server.jar", "serve")
                .endsWith(" -jar server/target/tidestream-server.jar serve …"));
        assertTrue(JvmOptions.advice("a.jar" + File.pathSeparator + "b.jar", "bench head")
                .endsWith(" -cp … dev.tidestream.server.cli.Main bench head …"));
    }
}
