package dev.tidestream.server;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Packages of main code, and files of it and of tests, that somebody can still survey. Of all modules: the sources beside this one's. */
class SourceSizeArchTest {
    private static final int MAX_FILES = 25; // of a package, package-info aside
    private static final int MAX_LINES = 400; // of a file
    private static final List<String> MODULES = List.of("protocol", "model", "server", "loadtest");

    @Test
    void shouldHaveSmallPackages() throws IOException {
        Map<String, Integer> files = new TreeMap<>();
        for (Path source : sources("main")) {
            if (!source.endsWith("package-info.java")) {
                files.merge(packageOf(source), 1, Integer::sum);
            }
        }
        assertTrue(files.containsKey("model/tensor") && files.containsKey("protocol"), () -> "sources not found: " + files);
        Map<String, Integer> large = new TreeMap<>(files);
        large.values().removeIf(count -> count <= MAX_FILES);
        assertEquals(Map.of(), large, "packages of more than %d files".formatted(MAX_FILES));
    }

    @Test
    void shouldHaveShortFiles() throws IOException {
        Map<String, Long> large = new TreeMap<>();
        List<Path> all = sources("main");
        all.addAll(sources("test"));
        assertTrue(all.stream().anyMatch(source -> source.endsWith("SourceSizeArchTest.java")), () -> "tests not found: " + all);
        for (Path source : all) {
            try (Stream<String> lines = Files.lines(source)) {
                long count = lines.count();
                if (count > MAX_LINES) {
                    large.put(source.getFileName().toString(), count);
                }
            }
        }
        assertEquals(Map.of(), large, "files of more than %d lines".formatted(MAX_LINES));
    }

    private static List<Path> sources(String kind) throws IOException {
        List<Path> found = new ArrayList<>();
        for (String module : MODULES) {
            try (Stream<Path> files = Files.walk(root(module, kind))) {
                files.filter(file -> file.toString().endsWith(".java")).forEach(found::add);
            }
        }
        return found;
    }

    /** Tests run in the folder of their module. */
    private static Path root(String module, String kind) {
        return Path.of("..", module, "src", kind, "java", "dev", "tidestream");
    }

    private static String packageOf(Path source) {
        for (String module : MODULES) {
            if (source.startsWith(root(module, "main"))) {
                Path inside = root(module, "main").relativize(source);
                return inside.subpath(0, inside.getNameCount() - 1).toString().replace('\\', '/');
            }
        }
        throw new AssertionError("of no module: " + source);
    }
}
