package dev.tidestream.server.app;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.tidestream.console.Printable;
import dev.tidestream.server.configuration.FileWatch;
import dev.tidestream.server.keys.KeyFileWatch;
import dev.tidestream.server.logging.EventLine;
import dev.tidestream.server.transport.AdminAccess;
import dev.tidestream.server.transport.AdminToken;
import dev.tidestream.server.transport.ServerVerticle;
import dev.tidestream.server.transport.tls.TlsException;
import dev.tidestream.server.transport.tls.TlsFiles;
import dev.tidestream.server.transport.tls.TlsIdentity;

/**
 * Files that a server takes anew when they change: certificate and key, the administrators' token, API keys, and whatever its
 * owner has watched. What is broken changes nothing, and is a line of the log.
 */
final class LiveFiles implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger("tidestream.server");
    private static final Duration INTERVAL = Duration.ofSeconds(1);

    private @Nullable FileWatch watch; // guarded by this; none before there is a file

    void watchTls(TlsFiles files, ServerVerticle server) {
        watch(List.of(files.certificate(), files.key()), () -> renewTls(server));
    }

    void watchToken(Path file, AdminAccess access) {
        watch(List.of(file), () -> renewToken(file, access));
    }

    void watchKeys(KeyFileWatch keys) {
        watch(List.of(keys.path()), keys::look);
        keys.look(); // it may have changed since it was read
    }

    synchronized void watch(List<Path> files, Runnable changed) {
        if (watch == null) {
            watch = new FileWatch(INTERVAL);
        }
        watch.watch(files, changed);
    }

    /** Whether there is anything to look at. */
    synchronized boolean any() {
        return watch != null;
    }

    synchronized void reloadAll() {
        if (watch != null) {
            watch.reloadAll();
        }
    }

    private static void renewTls(ServerVerticle server) {
        try {
            TlsIdentity identity = server.renewTls();
            log.info("{}", EventLine.of("tls_renewed").withText("subject", identity.subject())
                    .with("fingerprint", identity.fingerprint())
                    .with("expires", identity.expires()));
        } catch (TlsException e) {
            log.warn("{}", EventLine.of("tls_kept").withText("reason", e.getMessage()));
        }
    }

    private static void renewToken(Path file, AdminAccess access) {
        try {
            AdminToken token = AdminToken.of(TokenFile.read(file));
            access.renew(token);
            log.info("{}", EventLine.of("admin_token_renewed").with("token", token.fingerprint()));
        } catch (ServerException e) {
            log.warn("{}", EventLine.of("admin_token_kept").withText("reason", Printable.line(String.valueOf(e.getMessage()))));
        }
    }

    @Override
    public synchronized void close() {
        if (watch != null) {
            watch.close();
        }
    }
}
