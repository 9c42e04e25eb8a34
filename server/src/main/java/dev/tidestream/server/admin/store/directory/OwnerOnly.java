package dev.tidestream.server.admin.store.directory;

import java.nio.file.FileSystem;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;

/**
 * Files and directories that nobody but their owner may use, from the moment they exist: the permissions go to the system with the
 * creation, so that there is no time in between, and whatever the umask is, which can only take more away. File systems without
 * POSIX permissions get none of this.
 */
public final class OwnerOnly {
    private static final Set<PosixFilePermission> FILE = PosixFilePermissions.fromString("rw-------");
    private static final Set<PosixFilePermission> DIRECTORY = PosixFilePermissions.fromString("rwx------");
    private static final FileAttribute<?>[] NONE = {};

    private OwnerOnly() {}

    /** What a new file is made with: 0600. */
    public static FileAttribute<?>[] file(Path where) {
        return attributes(where.getFileSystem(), FILE);
    }

    /** What a new directory is made with: 0700. */
    public static FileAttribute<?>[] directory(Path where) {
        return attributes(where.getFileSystem(), DIRECTORY);
    }

    private static FileAttribute<?>[] attributes(FileSystem files, Set<PosixFilePermission> permissions) {
        return isKnownTo(files) ? new FileAttribute<?>[] {PosixFilePermissions.asFileAttribute(permissions)} : NONE;
    }

    /** Whether a file system has POSIX permissions. */
    public static boolean isKnownTo(FileSystem files) {
        return files.supportedFileAttributeViews().contains("posix");
    }

    /** Whether nobody but the owner has any of these permissions. */
    static boolean holds(Set<PosixFilePermission> permissions) {
        return DIRECTORY.containsAll(permissions);
    }
}
