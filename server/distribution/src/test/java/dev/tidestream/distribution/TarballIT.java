package dev.tidestream.distribution;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** The archive of this build, unpacked. */
class TarballIT {
    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final Pattern READY = Pattern.compile("tidestream: ready on ws://127\\.0\\.0\\.1:(\\d+)/.*");

    @TempDir
    @SuppressWarnings("NullAway.Init") // before all tests
    static Path temp;

    @SuppressWarnings("NullAway.Init") // before all tests
    private static Path home;

    @BeforeAll
    static void unpack() throws Exception {
        String tarball = System.getProperty("tidestream.tarball", "");
        Assumptions.assumeTrue(!tarball.isEmpty() && Files.exists(Path.of(tarball)), "no archive: " + tarball);
        Assumptions.assumeTrue(Files.isExecutable(Path.of("/bin/bash")), "no /bin/bash");
        assertEquals(0, run(List.of("tar", "-xzf", tarball, "-C", temp.toString())).code());
        try (Stream<Path> inside = Files.list(temp)) {
            home = inside.filter(path -> path.getFileName().toString().startsWith("tidestream-")).findFirst().orElseThrow();
        }
    }

    /** @param out what it said on both streams */
    private record Ended(int code, String out) {}

    private static ProcessBuilder process(List<String> command) {
        ProcessBuilder builder = new ProcessBuilder(command).directory(temp.toFile());
        builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
        builder.environment().keySet().removeIf(name -> name.startsWith("TIDESTREAM_"));
        return builder;
    }

    private static Ended run(List<String> command) throws IOException, InterruptedException {
        Process process = process(command).redirectErrorStream(true).start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS));
        return new Ended(process.exitValue(), out);
    }

    private static Ended tidestream(String... args) throws IOException, InterruptedException {
        return run(command(args));
    }

    private static List<String> command(String... args) {
        List<String> command = new ArrayList<>(List.of(home.resolve("bin/tidestream").toString()));
        command.addAll(List.of(args));
        return command;
    }

    @Test
    void shouldHaveWhatBelongsToIt() throws IOException {
        for (String file : List.of("LICENSE", "README.md", "CHANGELOG.md", "bin/tidestream.bat", "docs/protocol.md", "docs/ops/README.md",
                "loadtest/scenarios/smoke.json", "lib/tidestream-server.jar", "lib/loadtest/tidestream-loadtest.jar")) {
            assertTrue(Files.isRegularFile(home.resolve(file)), file);
        }
        String licences = Files.readString(home.resolve("licences/THIRD-PARTY.txt"));
        for (String library : List.of("netty", "vertx", "picocli", "nd4j-native", "logback", "reactor-netty")) {
            assertTrue(licences.contains(library), library + " in " + licences);
        }
    }

    /** One system's native libraries, and one of each. */
    @Test
    void shouldHaveTheNativesOfOneSystemOnly() throws IOException {
        try (Stream<Path> lib = Files.list(home.resolve("lib"))) {
            List<String> natives = lib.map(path -> path.getFileName().toString())
                    .filter(name -> name.matches("nd4j-native-\\d.*-(linux|macosx|windows)-.*\\.jar")).toList();
            assertEquals(1, natives.size(), natives.toString());
        }
    }

    @Test
    void shouldSayWhatItIs() throws Exception {
        Ended version = tidestream("--version");
        assertEquals(0, version.code(), version.out());
        assertTrue(version.out().matches("tidestream \\d+\\.\\S+ \\((commit [0-9a-f]+(-dirty)?, )?Java 25.*\\)\\R"), version.out());
        Ended help = tidestream("--help");
        assertEquals(0, help.code());
        assertTrue(help.out().startsWith("Usage: tidestream "), help.out());
        Ended load = tidestream("loadtest", "--help");
        assertEquals(0, load.code(), load.out());
        assertTrue(load.out().contains("--scenario"), load.out());
    }

    @Test
    void shouldServeTheStarterModel() throws Exception {
        Process server = process(command("serve", "--port", "0")).redirectError(ProcessBuilder.Redirect.DISCARD).start();
        try (BufferedReader lines = server.inputReader(StandardCharsets.UTF_8)) {
            int port = port(lines);
            HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:%d/v1/completions".formatted(port))).timeout(PATIENCE)
                    .POST(HttpRequest.BodyPublishers.ofString("""
                            {"prompt": "Once upon a time", "max_tokens": 8, "temperature": 0}""")).build();
            try (HttpClient client = HttpClient.newHttpClient()) {
                HttpResponse<String> answer = client.send(request, HttpResponse.BodyHandlers.ofString());
                assertEquals(200, answer.statusCode(), answer.body());
                assertTrue(answer.body().contains("\"completion_tokens\":8"), answer.body());
            }
            assertNoNativeLibraryOfNd4j(server);
            server.destroy();
            assertTrue(server.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS));
            assertEquals(0, server.exitValue());
        } finally {
            server.destroyForcibly();
        }
    }

    private static int port(BufferedReader lines) throws IOException {
        @Nullable String line;
        while ((line = lines.readLine()) != null) {
            Matcher ready = READY.matcher(line);
            if (ready.matches()) {
                return Integer.parseInt(ready.group(1));
            }
        }
        throw new AssertionError("it ended before it was ready");
    }

    /** They are loaded by who asks for a dense head mode, and by nobody else. */
    private static void assertNoNativeLibraryOfNd4j(Process server) throws IOException {
        Path maps = Path.of("/proc/%d/maps".formatted(server.pid()));
        if (Files.exists(maps)) {
            String mapped = Files.readString(maps);
            assertTrue(mapped.contains("libjvm"), "not the server's process");
            List<String> dense = mapped.lines().filter(line -> line.matches(".*(nd4jcpu|openblas)[^/]*\\.so.*")).toList();
            assertEquals(List.of(), dense);
        }
    }
}
