package dev.tidestream.server.weights.trainer;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.server.admin.AdminException;

/**
 * The directories that trainers may have weights read from. A path, relative or not, has no {@code ..}, and its real path, after all
 * symbolic links, is inside of one of them. Whoever may write there is trusted not to exchange parts of the path at this moment. Blocks.
 */
final class TrainerFiles {
    private static final Logger log = LoggerFactory.getLogger(TrainerFiles.class);

    private static final String SUFFIX = ".safetensors";
    private static final int MAX_FILES = 1_000; // parts of an update

    private final List<Path> roots;

    /** @param directories looked at when they are used */
    TrainerFiles(List<Path> directories) {
        this.roots = List.copyOf(directories);
    }

    /**
     * The safetensors files that a path leads to: itself, or all of a directory, by name.
     *
     * @throws AdminException {@code invalid_path}; says nothing about what is outside
     */
    List<Path> files(String path) throws AdminException {
        if (roots.isEmpty()) {
            throw refused("the server reads no files for trainers; start it with --trainer-dir DIR", path, null);
        }
        Path asked = asked(path);
        for (Path directory : roots) {
            try {
                Path root = directory.toRealPath();
                Path real = root.resolve(asked).toRealPath();
                if (real.startsWith(root)) {
                    return Files.isDirectory(real) ? within(root, real, path) : List.of(file(root, real, path));
                }
            } catch (IOException e) { // it may be in another
                log.debug("not in this directory of trainers: directory={}, path={}", directory, asked, e);
            }
        }
        throw refused("nothing is there within the directories of trainers", path, null);
    }

    private static Path asked(String path) throws AdminException {
        Path asked;
        try {
            asked = Path.of(path);
        } catch (InvalidPathException e) {
            throw refused("not a path", path, e);
        }
        for (Path name : asked) {
            if (name.toString().equals("..")) {
                throw refused("a path must have no '..'", path, null);
            }
        }
        if (path.isBlank()) {
            throw refused("a path must not be blank", path, null);
        }
        return asked;
    }

    private static List<Path> within(Path root, Path directory, String path) throws IOException, AdminException {
        List<Path> files = new ArrayList<>();
        try (Stream<Path> all = Files.list(directory)) {
            for (Path one : all.filter(file -> file.getFileName().toString().endsWith(SUFFIX)).sorted().limit(MAX_FILES + 1L).toList()) {
                files.add(file(root, one.toRealPath(), path));
            }
        }
        if (files.isEmpty() || files.size() > MAX_FILES) {
            throw refused(files.isEmpty() ? "no file ends in " + SUFFIX + " there" : "too many files: limit=" + MAX_FILES, path, null);
        }
        return files;
    }

    private static Path file(Path root, Path real, String path) throws AdminException {
        if (!real.startsWith(root) || !Files.isRegularFile(real, LinkOption.NOFOLLOW_LINKS)) {
            throw refused("not a regular file within the directories of trainers", path, null);
        }
        return real;
    }

    private static AdminException refused(String reason, String path, @Nullable Throwable cause) {
        return new AdminException(AdminErrorCode.INVALID_PATH, "%s: path=%s".formatted(reason, path), cause);
    }
}
