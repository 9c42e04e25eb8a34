package dev.tidestream.server.cli;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.model.kernels.KernelSelection;
import dev.tidestream.server.app.EmbeddedExample;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** The server's jar, as the build has packed it, with the libraries beside it. */
class JarIT {
    private static final Path JAR = Path.of("target", "tidestream-server.jar");

    @BeforeEach
    void needsTheJar() {
        boolean inMaven = System.getProperty("basedir") != null;
        Assumptions.assumeTrue(inMaven || Files.exists(JAR), "not packed, and this is not Maven");
    }

    private static Run java(List<String> options, String... args) throws Exception {
        List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString()));
        command.addAll(options);
        command.addAll(List.of("-jar", JAR.toString()));
        command.addAll(List.of(args));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(process.waitFor(60, TimeUnit.SECONDS));
        return new Run(process.exitValue(), said, "");
    }

    @Test
    void shouldSayHowToStartItOrShowItsHelp() throws Exception {
        Run serve = java(List.of("-Dtidestream.machine.code=off"), "serve");
        assertEquals(2, serve.code(), serve.out());
        assertTrue(serve.out().contains("-jar " + JAR + " serve"), serve.out());
        Run help = java(List.of(), "serve", "--help");
        assertEquals(0, help.code(), help.out());
        assertTrue(help.out().startsWith("Usage: tidestream serve "), help.out());
        assertTrue(java(List.of(), "--version").out().startsWith("tidestream 0."), "the version of the manifest");
    }

    @Test
    void shouldStartAsItSays() throws Exception {
        Run run = java(List.of("--add-modules=jdk.incubator.vector", "--sun-misc-unsafe-memory-access=allow"),
                "generate", "--prompt", "Once", "-n", "3", "--temperature", "0");
        assertEquals(0, run.code(), run.out());
        assertTrue(run.out().lines().noneMatch(line -> line.startsWith("WARNING:") && !line.endsWith("jdk.incubator.vector")),
                run.out());
    }

    @Test
    void shouldStartWithoutAnyOptionWhereKernelsAreGenerated() throws Exception {
        Assumptions.assumeTrue(KernelSelection.generated().isPresent(), "no generated kernels here");
        Run run = java(List.of(), "generate", "--prompt", "Once", "-n", "3", "--temperature", "0");
        assertEquals(0, run.code(), run.out());
        assertFalse(run.out().contains("incubator"), run.out());
    }

    /** Beside its {@code lib}, as for {@code java -jar}. */
    @Test
    void shouldBeALibraryForTheProgramOfTheReadme(@TempDir Path temp) throws Exception {
        EmbeddedExample.run(JAR.toString(), temp);
    }
}
