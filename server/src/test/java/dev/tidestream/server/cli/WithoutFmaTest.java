package dev.tidestream.server.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Commands on a processor without AVX, as far as a JVM can be told that it has one: scalar kernels, the same answers, and a word of it. */
class WithoutFmaTest {
    private static final int LIMIT_S = 120;
    private static final String WITHOUT_AVX = "-XX:UseAVX=0"; // an option of HotSpot on x86-64
    private static final String WARNING = "tidestream: warning: scalar kernels, which are slow: this JVM has no fused multiply-add"
            + " instruction (FMA).";
    private static final String TOKENS = "0,2399,654,259,515,450,308,259,900,420,397,341";

    @TempDir
    Path folder;

    @BeforeEach
    void assumeX86() {
        Assumptions.assumeTrue(System.getProperty("os.arch").equals("amd64"), "no AVX to do without");
    }

    private Run java(List<String> jvmOptions, String... args) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-XX:+UseSerialGC",
                "--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED"));
        command.addAll(jvmOptions);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName()));
        command.addAll(List.of(args));
        Path out = folder.resolve("out");
        Path err = folder.resolve("err");
        Process process = new ProcessBuilder(command).redirectOutput(out.toFile()).redirectError(err.toFile()).start();
        try {
            assertTrue(process.waitFor(LIMIT_S, TimeUnit.SECONDS), "too long: seconds=" + LIMIT_S);
            return new Run(process.exitValue(), Files.readString(out), Files.readString(err));
        } finally {
            process.destroyForcibly();
        }
    }

    @Test
    void shouldGenerateTheSameTextAndSayThatItIsSlow() throws Exception {
        String[] generate = {"generate", "--prompt", "Once upon a time", "-n", "12", "--temperature", "0"};
        Run without = java(List.of(WITHOUT_AVX), generate);
        assertEquals(0, without.code(), without.err());
        assertEquals(1, without.err().lines().filter(line -> line.startsWith(WARNING)).count(), without.err());
        Run with = java(List.of(), generate);
        assertEquals(with.out(), without.out());
        assertEquals(0, with.code(), with.err());
    }

    @Test
    void shouldComputeTheSameBits() throws Exception {
        for (String activations : List.of("int8", "f32")) {
            Path without = folder.resolve("without-" + activations);
            Path with = folder.resolve("with-" + activations);
            logits(List.of(WITHOUT_AVX), activations, without);
            logits(List.of(), activations, with);
            assertArrayEquals(Files.readAllBytes(with), Files.readAllBytes(without), "activations=" + activations);
        }
    }

    private void logits(List<String> jvmOptions, String activations, Path to) throws IOException, InterruptedException {
        Run run = java(jvmOptions, "logits", "--tokens", TOKENS, "--activations", activations, "--out", to.toString());
        assertEquals(0, run.code(), run.err());
    }
}
