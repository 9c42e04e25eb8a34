package dev.tidestream.server.app;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.tidestream.console.Printable;
import dev.tidestream.console.Reasons;
import dev.tidestream.server.app.ServerException.Reason;
import dev.tidestream.server.transport.AdminToken;

/**
 * The file with the administrators' token, and who else may use it. Whom the system lets write to it chooses who administrates, so a file
 * that anybody may write is refused. Others who may read it, or a group that may write, are named in a warning and not refused: that is
 * how some systems hand out secrets, and what {@code umask 002} makes of a new file. Where files have no POSIX permissions, nothing
 * is known and nothing said.
 */
public final class TokenFile {
    private static final Logger log = LoggerFactory.getLogger(TokenFile.class);
    private static final Set<PosixFilePermission> OWNERS_ONLY = PosixFilePermissions.fromString("rwx------");

    private TokenFile() {}

    /**
     * The token.
     *
     * @throws ServerException if there is none, it may not be read, anybody may write it, or it is no usable token; shows nothing of it
     */
    static String read(Path file) {
        try {
            judge(file);
            return AdminToken.read(file);
        } catch (NoSuchFileException e) {
            throw new ServerException(Reason.ADMIN_TOKEN, "no such file: %s (--admin-token-file)".formatted(file), e);
        } catch (AccessDeniedException e) {
            throw new ServerException(Reason.ADMIN_TOKEN, "permission denied: %s (--admin-token-file)".formatted(file), e);
        } catch (IOException e) {
            throw new ServerException(Reason.ADMIN_TOKEN, "admin token file cannot be read: %s: %s".formatted(file, Reasons.of(e)), e);
        } catch (IllegalArgumentException e) {
            throw new ServerException(Reason.ADMIN_TOKEN, String.valueOf(e.getMessage()), e);
        }
    }

    private static void judge(Path file) throws IOException {
        if (!file.getFileSystem().supportedFileAttributeViews().contains("posix")) {
            return;
        }
        Set<PosixFilePermission> permissions = Files.getPosixFilePermissions(file);
        String shown = PosixFilePermissions.toString(permissions);
        if (permissions.contains(PosixFilePermission.OTHERS_WRITE)) {
            throw new ServerException(
                    Reason.ADMIN_TOKEN, "anybody may write the admin token: %s has permissions %s; run chmod 600 on it".formatted(file, shown));
        }
        if (!OWNERS_ONLY.containsAll(permissions)) {
            log.warn("others than its owner may use the admin token: file={}, permissions={}; run chmod 600 on it",
                    Printable.line(file.toString()), shown);
        }
    }
}
