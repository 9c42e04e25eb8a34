package dev.tidestream.server.app;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.ZoneId;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

import org.jspecify.annotations.Nullable;

import dev.tidestream.console.Reasons;
import dev.tidestream.server.admin.store.UpdateDirectory;
import dev.tidestream.server.app.ServerException.Reason;
import dev.tidestream.server.chat.ChatTemplate;
import dev.tidestream.server.chat.ChatTemplateException;
import dev.tidestream.server.chat.ChatTemplates;
import dev.tidestream.server.chat.SpecialTokens;
import dev.tidestream.server.keys.KeyFile;
import dev.tidestream.server.keys.KeyFileException;
import dev.tidestream.server.keys.KeyFileWatch;
import dev.tidestream.server.logging.EventLog;
import dev.tidestream.server.transport.AccessRules;
import dev.tidestream.server.transport.AdminAccess;
import dev.tidestream.server.transport.AdminToken;
import dev.tidestream.server.transport.TokenLimit;
import dev.tidestream.server.transport.TokenRefusal;
import dev.tidestream.server.transport.tls.TlsException;
import dev.tidestream.server.transport.tls.TlsFiles;
import dev.tidestream.server.transport.tls.TlsIdentity;

/**
 * What a server needs beside the model. It is looked at before the model is loaded, which may take minutes.
 *
 * @param address where to listen; free a moment ago
 * @param token of administrators
 * @param tokenMadeUp whether nobody has named a file with one
 * @param tokenLimit of wrong tokens
 * @param updateDirectory where files of updates may come from; null for nowhere
 * @param keys of clients, and their file; null if they need none
 */
record Preconditions(
        ListenAddress address, String token, boolean tokenMadeUp, TokenLimit tokenLimit, @Nullable UpdateDirectory updateDirectory,
        @Nullable KeyFileWatch keys) {

    /** @throws ServerException if one is not met, with the reason */
    static Preconditions check(ServerConfig config) {
        ServerConfig.Updates updates = config.updates();
        String token = updates.tokenFile() == null ? AdminToken.generate() : TokenFile.read(updates.tokenFile());
        UpdateDirectory files = updates.updateDir() == null ? null : updateDirectory(updates.updateDir());
        AccessRules access = config.transport().access();
        ListenAddress address = ListenAddress.of(config.transport());
        if (access.apiKeys() == null && !access.unauthenticated() && !address.isLoopback()) {
            throw new ServerException(Reason.ADDRESS,
                    "without API keys a server listens on this machine only: host=%s".formatted(address.host()));
        }
        KeyFileWatch keys = access.apiKeys() == null ? null : keys(access.apiKeys(), token);
        address.requireFree();
        requireTls(config.transport().tls());
        ReceiptWiring.requireUsable(config.receipts());
        if (config.chats().template() != null) {
            requireTemplate(config.chats().template());
        }
        return new Preconditions(address, token, updates.tokenFile() == null, updates.wrongTokens(), files, keys);
    }

    private static KeyFileWatch keys(Path file, String adminToken) {
        KeyFileWatch watch;
        try {
            watch = KeyFileWatch.of(new KeyFile(file));
        } catch (NoSuchFileException e) {
            throw new ServerException(
                    Reason.API_KEYS, "no such file: %s (--api-keys); tidestream keys add makes it".formatted(file), e);
        } catch (AccessDeniedException e) {
            throw new ServerException(Reason.API_KEYS, "permission denied: %s (--api-keys)".formatted(file), e);
        } catch (IOException e) {
            throw new ServerException(Reason.API_KEYS, "API keys cannot be read: %s: %s".formatted(file, Reasons.of(e)), e);
        } catch (KeyFileException e) {
            throw new ServerException(Reason.API_KEYS, "%s (--api-keys)".formatted(e.getMessage()), e);
        }
        watch.keys().find(adminToken).ifPresent(same -> {
            throw new ServerException(Reason.API_KEYS,
                    "%s: the admin token is also the API key of %s: whoever may stream could administrate"
                            .formatted(file, same.owner().name()));
        });
        return watch;
    }

    private static void requireTls(@Nullable TlsFiles files) {
        if (files != null) {
            try {
                TlsIdentity.read(files);
            } catch (TlsException e) {
                throw new ServerException(Reason.TLS, e.getMessage() + " (--tls-cert, --tls-key)", e);
            }
        }
    }

    private static void requireTemplate(Path file) {
        try {
            ChatTemplates templates = ChatTemplates.ofFile(file);
            ChatTemplate.parse(templates.choose(false).orElseThrow(), new SpecialTokens(Map.of(), List.of()), Clock.system(ZoneId.systemDefault()));
        } catch (NoSuchFileException e) {
            throw new ServerException(Reason.CHAT_TEMPLATE, "no such file: %s (--chat-template)".formatted(file), e);
        } catch (IOException e) {
            throw new ServerException(Reason.CHAT_TEMPLATE, "chat template cannot be read: %s: %s".formatted(file, Reasons.of(e)), e);
        } catch (ChatTemplateException e) {
            throw new ServerException(Reason.CHAT_TEMPLATE, "%s: %s (--chat-template)".formatted(file, e.getMessage()), e);
        }
    }

    private static UpdateDirectory updateDirectory(Path directory) {
        try {
            return UpdateDirectory.of(directory);
        } catch (NoSuchFileException e) {
            throw new ServerException(Reason.UPDATE_DIRECTORY, "no such directory: %s (--update-dir)".formatted(directory), e);
        } catch (NotDirectoryException e) {
            throw new ServerException(Reason.UPDATE_DIRECTORY, "no directory: %s (--update-dir)".formatted(directory), e);
        } catch (AccessDeniedException e) {
            throw new ServerException(Reason.UPDATE_DIRECTORY, "permission denied: %s (--update-dir)".formatted(directory), e);
        } catch (IOException e) {
            throw new ServerException(Reason.UPDATE_DIRECTORY, "update directory cannot be used: %s: %s".formatted(directory, Reasons.of(e)), e);
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
}
