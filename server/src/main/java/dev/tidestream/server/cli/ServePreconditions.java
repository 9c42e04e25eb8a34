package dev.tidestream.server.cli;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.function.Consumer;

import org.jspecify.annotations.Nullable;

import dev.tidestream.console.Reasons;
import dev.tidestream.server.admin.store.UpdateDirectory;
import dev.tidestream.server.logging.EventLog;
import dev.tidestream.server.transport.AdminAccess;
import dev.tidestream.server.transport.AdminToken;
import dev.tidestream.server.transport.TokenLimit;
import dev.tidestream.server.transport.TokenRefusal;

/**
 * What {@code serve} needs beside the model. It is looked at before the model is loaded, which may take minutes.
 *
 * @param address where to listen; free a moment ago
 * @param token of administrators
 * @param tokenMadeUp whether nobody has named a file with one
 * @param tokenLimit of wrong tokens
 * @param updateDirectory where files of updates may come from; null for nowhere
 */
record ServePreconditions(
        ListenAddress address, String token, boolean tokenMadeUp, TokenLimit tokenLimit, @Nullable UpdateDirectory updateDirectory) {

    /** @throws CliException if one is not met, with the reason */
    static ServePreconditions check(ServeOptions options) {
        LiveUpdateOptions live = options.live;
        String token = live.tokenFile == null ? AdminToken.generate() : TokenFile.read(live.tokenFile);
        UpdateDirectory updates = live.updateDir == null ? null : updateDirectory(live.updateDir);
        ListenAddress address = new ListenAddress(options.host, options.port());
        address.requireFree();
        return new ServePreconditions(address, token, live.tokenFile == null, live.tokenLimit(), updates);
    }

    private static UpdateDirectory updateDirectory(Path directory) {
        try {
            return UpdateDirectory.of(directory);
        } catch (NoSuchFileException e) {
            throw new CliException("no such directory: %s (--update-dir)".formatted(directory), e);
        } catch (NotDirectoryException e) {
            throw new CliException("no directory: %s (--update-dir)".formatted(directory), e);
        } catch (AccessDeniedException e) {
            throw new CliException("permission denied: %s (--update-dir)".formatted(directory), e);
        } catch (IOException e) {
            throw new CliException("update directory cannot be used: %s: %s".formatted(directory, Reasons.of(e)), e);
        }
    }

    /**
     * Who may come in as an administrator.
     *
     * @param audit where it is written down
     * @param refusals told of everybody who may not
     */
    AdminAccess access(EventLog audit, Consumer<TokenRefusal> refusals) {
        return new AdminAccess(AdminToken.of(token), tokenLimit, audit, refusals);
    }

    /** A token that was made up has to be told, this one time: a line, or nothing. */
    String announcement(String url) {
        return tokenMadeUp ? "admin: %s (token, made up for this run: %s)%n".formatted(url, token) : "";
    }
}
