package dev.tidestream.server.cli.chat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.function.UnaryOperator;

import org.jspecify.annotations.Nullable;

/** Where lines are kept that were typed: a file that its owner alone may read. */
final class HistoryFile {
    private static final String OWNER_FILE = "rw-------";
    private static final String OWNER_FOLDER = "rwx------";

    private HistoryFile() {}

    /** In the state directory of XDG, or where that is by default. */
    static Path usual(UnaryOperator<@Nullable String> environment, String home) {
        String state = environment.apply("XDG_STATE_HOME");
        Path folder = state != null && Path.of(state).isAbsolute() ? Path.of(state) : Path.of(home, ".local", "state");
        return folder.resolve("tidestream").resolve("chat_history");
    }

    /**
     * Makes the file, if there is none, and takes it from everybody but its owner.
     *
     * @throws IOException if that is not possible
     */
    static void prepare(Path file) throws IOException {
        Path folder = file.toAbsolutePath().getParent();
        if (folder != null && !Files.isDirectory(folder)) {
            Files.createDirectories(folder, only(folder, OWNER_FOLDER));
        }
        if (!Files.exists(file)) {
            Files.createFile(file, only(file, OWNER_FILE));
        }
        protect(file);
    }

    /** Takes it from everybody but its owner. */
    static void protect(Path file) throws IOException {
        if (posix(file)) {
            Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(OWNER_FILE));
        }
    }

    private static FileAttribute<?>[] only(Path file, String permissions) {
        return posix(file)
                ? new FileAttribute<?>[] {PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(permissions))}
                : new FileAttribute<?>[0];
    }

    private static boolean posix(Path file) {
        return file.getFileSystem().supportedFileAttributeViews().contains("posix");
    }
}
