package dev.tidestream.model.kernels;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

/**
 * A model that is loaded with the scalar kernels computes with them alone, quantising and sampling included: in a process without
 * the incubating Vector API, and without a class of another implementation. Generated kernels do without the Vector API, too.
 */
class ScalarKernelsAloneTest {
    private static final int LIMIT_S = 120;

    @TempDir
    private Path folder;

    @Test
    void shouldNeedNeitherVectorApiNorMachineCode() throws Exception {
        Path loaded = folder.resolve("classes.txt");
        Path printed = folder.resolve("out.txt");
        assertEquals(0, run(List.of(), printed, loaded), () -> read(printed));
        assertEquals(ScalarRun.lines(KernelSelection.fastest()), Files.readAllLines(printed));
        try (Stream<String> lines = Files.lines(loaded)) {
            List<String> classes = lines.toList();
            assertTrue(classes.stream().anyMatch(line -> line.contains("model.kernels.scalar.ScalarKernels")),
                    "no classes were listed");
            assertEquals(List.of(), classes.stream().filter(ScalarKernelsAloneTest::isOther).toList());
        }
    }

    @Test
    void shouldNotNeedTheVectorApiForGeneratedKernels() throws Exception {
        assumeTrue(KernelSelection.generated().isPresent(), "no generated kernels here");
        Path loaded = folder.resolve("classes.txt");
        Path printed = folder.resolve("out.txt");
        assertEquals(0, run(List.of(), printed, loaded, "fastest"), () -> read(printed));
        assertEquals(ScalarRun.lines(KernelSelection.scalar()), Files.readAllLines(printed));
        try (Stream<String> lines = Files.lines(loaded)) {
            List<String> classes = lines.toList();
            assertTrue(classes.stream().anyMatch(line -> line.contains("model.kernels.jit.GeneratedKernels")),
                    "no generated kernels");
            assertEquals(List.of(), classes.stream().filter(ScalarKernelsAloneTest::isVectorApi).toList());
        }
    }

    @Test
    void shouldSayWhatTheOtherKernelsNeed() throws Exception {
        Path printed = folder.resolve("out.txt");
        assertEquals(1, run(List.of("-Dtidestream.machine.code=off"), printed, folder.resolve("classes.txt"), "fastest"),
                () -> read(printed));
        assertTrue(read(printed).contains("the Vector API is missing: start java with --add-modules=jdk.incubator.vector"),
                () -> read(printed));
    }

    /** {@link ScalarRun} in a process without the Vector API; its exit code. */
    private static int run(List<String> options, Path printed, Path loaded, String... args) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xlog:class+load:file=" + loaded, "--enable-native-access=ALL-UNNAMED",
                "-cp", System.getProperty("java.class.path")));
        command.addAll(options);
        command.add(ScalarRun.class.getName());
        command.addAll(List.of(args));
        Process process = new ProcessBuilder(command).redirectOutput(printed.toFile()).redirectErrorStream(true).start();
        try {
            assertTrue(process.waitFor(LIMIT_S, TimeUnit.SECONDS), "too long: seconds=" + LIMIT_S);
            return process.exitValue();
        } finally {
            process.destroyForcibly();
        }
    }

    private static boolean isVectorApi(String line) {
        return line.contains("jdk.incubator.vector") || line.contains("model.kernels.vector");
    }

    private static boolean isOther(String line) {
        return isVectorApi(line) || line.contains("model.kernels.jit") || line.contains("dev.tidestream.model.machine");
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            return e.toString();
        }
    }
}
