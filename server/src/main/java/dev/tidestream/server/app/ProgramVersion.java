package dev.tidestream.server.app;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Optional;
import java.util.Properties;

import org.jspecify.annotations.Nullable;

/** The version of this program. */
public final class ProgramVersion {
    /** Beside this class, written by the build; not there if that had no repository. */
    private static final String COMMIT_FILE = "git.properties";

    private ProgramVersion() {}

    /** From the jar's manifest. */
    public static String ours() {
        String version = ProgramVersion.class.getPackage().getImplementationVersion();
        return version == null ? "(unpackaged)" : version;
    }

    /** The commit that it was built from, abbreviated, with {@code -dirty} if files had changes; nothing if the build did not know. */
    public static Optional<String> commit() {
        try (InputStream file = ProgramVersion.class.getResourceAsStream(COMMIT_FILE)) {
            return commit(file);
        } catch (IOException e) {
            throw new UncheckedIOException(COMMIT_FILE + " of this program cannot be read", e);
        }
    }

    /** @param file of properties as the build writes it; null if there is none */
    static Optional<String> commit(@Nullable InputStream file) throws IOException {
        if (file == null) {
            return Optional.empty();
        }
        Properties properties = new Properties();
        properties.load(file);
        String dirty = Boolean.parseBoolean(properties.getProperty("git.dirty")) ? "-dirty" : "";
        return Optional.ofNullable(properties.getProperty("git.commit.id.abbrev")).filter(id -> !id.isBlank()).map(id -> id + dirty);
    }
}
