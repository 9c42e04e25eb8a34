package dev.tidestream.model;

import java.nio.file.Files;
import java.nio.file.Path;

import org.junit.jupiter.api.Assumptions;

/** Finds the folder {@code shared} (models, golden data, vectors) beside the checkout. */
public final class SharedData {
    /** System property that names the folder, where it is not in a parent of the working directory. */
    public static final String PROPERTY = "tidestream.shared";

    private SharedData() {}

    /** The file or folder at this place in {@code shared}; skips the test, visibly, if it is not there. */
    public static Path path(String relative) {
        Path path = root().resolve(relative);
        Assumptions.assumeTrue(Files.exists(path), () -> "no test data: " + path + " (set -D" + PROPERTY + ")");
        return path;
    }

    private static Path root() {
        String configured = System.getProperty(PROPERTY);
        if (configured != null) {
            return Path.of(configured);
        }
        for (Path folder = Path.of("").toAbsolutePath(); folder != null; folder = folder.getParent()) {
            if (Files.isDirectory(folder.resolve("shared"))) {
                return folder.resolve("shared");
            }
        }
        return Path.of("shared");
    }
}
