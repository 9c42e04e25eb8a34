package dev.tidestream.model;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Assumptions;

/**
 * Finds the folder {@code shared} (models, golden data, vectors) beside the checkout. Where there is none, tests that need it are
 * skipped, visibly, unless it is required. Where it is, all that is asked for must be there: a file that is missing fails its test.
 */
public final class SharedData {
    /** System property that names the folder, where it is not in a parent of the working directory. */
    public static final String PROPERTY = "tidestream.shared";

    /** System property: {@code true} has tests fail where there is no folder. */
    public static final String REQUIRED = "tidestream.require.shared";

    private static final String MARK = "golden"; // what tells the folder from others of its name

    private SharedData() {}

    /** The file or folder at this place in {@code shared}. */
    public static Path path(String relative) {
        return path(root(), Boolean.getBoolean(REQUIRED), relative);
    }

    static Path path(Optional<Path> root, boolean required, String relative) {
        if (root.isEmpty() && !required) {
            Assumptions.abort("no test data: set -D" + PROPERTY);
        }
        Path folder = root.orElseThrow(() -> new AssertionError("no test data, and it is required: set -D" + PROPERTY));
        Path path = folder.resolve(relative);
        Assertions.assertTrue(Files.exists(path), () -> "not in the test data: " + path);
        return path;
    }

    private static Optional<Path> root() {
        String configured = System.getProperty(PROPERTY);
        return configured != null ? Optional.of(Path.of(configured)) : find(Path.of("").toAbsolutePath());
    }

    /** The folder {@code shared} in the nearest parent that has one of ours. */
    static Optional<Path> find(Path from) {
        for (Path folder = from; folder != null; folder = folder.getParent()) {
            if (Files.isDirectory(folder.resolve("shared").resolve(MARK))) {
                return Optional.of(folder.resolve("shared"));
            }
        }
        return Optional.empty();
    }
}
