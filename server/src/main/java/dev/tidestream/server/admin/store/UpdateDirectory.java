package dev.tidestream.server.admin.store;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;

import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.server.admin.AdminException;

/**
 * The one directory that {@code path} updates may come from. A path is relative, has no {@code ..}, and leads to a regular file
 * whose real path, after all symbolic links, is inside. Whoever may write to the directory is trusted not to exchange parts of
 * the path at this moment.
 */
public final class UpdateDirectory {
    private final Path root;

    private UpdateDirectory(Path root) {
        this.root = root;
    }

    /**
     * A directory that is there and may be read.
     *
     * @throws NoSuchFileException if it is not there
     * @throws NotDirectoryException if it is something else
     * @throws AccessDeniedException if its files may not be listed and read
     */
    public static UpdateDirectory of(Path directory) throws IOException {
        Path root = directory.toRealPath();
        if (!Files.isDirectory(root)) {
            throw new NotDirectoryException(directory.toString());
        }
        if (!Files.isReadable(root) || !Files.isExecutable(root)) {
            throw new AccessDeniedException(directory.toString());
        }
        return new UpdateDirectory(root);
    }

    /**
     * The real path of a file inside.
     *
     * @throws AdminException {@code invalid_path}; says nothing about what is outside
     */
    public Path resolve(String path) throws AdminException {
        Path relative;
        try {
            relative = Path.of(path);
        } catch (InvalidPathException e) {
            throw refused("not a path", path, e);
        }
        if (relative.isAbsolute() || relative.getRoot() != null) {
            throw refused("path must be relative to the update directory", path, null);
        }
        for (Path name : relative) {
            if (name.toString().equals("..") || name.toString().isEmpty()) {
                throw refused("path must have no '..' and no empty names", path, null);
            }
        }
        try {
            Path real = root.resolve(relative).toRealPath();
            if (!real.startsWith(root)) {
                throw refused("path leads out of the update directory", path, null);
            }
            if (!Files.isRegularFile(real, LinkOption.NOFOLLOW_LINKS)) {
                throw refused("not a regular file", path, null);
            }
            return real;
        } catch (NoSuchFileException e) {
            throw refused("no such file", path, e);
        } catch (IOException e) {
            throw refused("cannot be read", path, e);
        }
    }

    private static AdminException refused(String reason, String path, @Nullable Throwable cause) {
        return new AdminException(AdminErrorCode.INVALID_PATH, reason + ": path=" + path, cause);
    }
}
