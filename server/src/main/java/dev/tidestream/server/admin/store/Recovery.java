package dev.tidestream.server.admin.store;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.tidestream.server.admin.store.directory.DataDirException;
import dev.tidestream.server.admin.store.directory.Storage;

/**
 * What happens when a data directory is opened: judge everything first, then remove what an interrupted change has left. A
 * directory that is not as it must be is left alone for people to look at.
 */
final class Recovery {
    private static final Logger log = LoggerFactory.getLogger(Recovery.class);
    private static final Pattern PAYLOAD = Pattern.compile("payload-[0-9]+-[0-9a-f]{16}\\.bin");
    private static final Pattern SPOOL = Pattern.compile(UpdateLog.SPOOL_PREFIX + "[0-9]+\\.tmp");
    private static final int MAX_MANIFEST_BYTES = 256 << 20;

    private final Storage storage;
    private final String baseSha256;

    Recovery(Storage storage, String baseSha256) {
        this.storage = storage;
        this.baseSha256 = baseSha256;
    }

    Manifest run() throws IOException, DataDirException {
        Set<String> files = new TreeSet<>(storage.list());
        Manifest manifest;
        if (files.contains(UpdateLog.MANIFEST)) {
            manifest = read();
            for (VersionRecord.WithPayload update : VersionHistory.payloads(manifest)) {
                requirePayload(update, files);
            }
        } else {
            manifest = first(files);
        }
        removeLeftovers(manifest);
        return manifest;
    }

    /** A new directory gets its manifest before anything else, so that one without is either new or damaged. */
    private Manifest first(Set<String> files) throws IOException, DataDirException {
        List<String> payloads = files.stream().filter(PAYLOAD.asMatchPredicate()).toList();
        if (!payloads.isEmpty()) {
            throw new DataDirException(
                    DataDirException.Problem.MANIFEST_MISSING,
                    "%s: payloads but no %s: %s".formatted(storage, UpdateLog.MANIFEST, payloads));
        }
        Manifest manifest = new Manifest(baseSha256, List.of());
        ManifestFile.writeTemp(storage, manifest.toBytes());
        storage.rename(UpdateLog.MANIFEST_TEMP, UpdateLog.MANIFEST);
        storage.force();
        return manifest;
    }

    private Manifest read() throws IOException, DataDirException {
        long bytes = storage.size(UpdateLog.MANIFEST);
        if (bytes > MAX_MANIFEST_BYTES) {
            throw badManifest("too large: bytes=%d, limit=%d".formatted(bytes, MAX_MANIFEST_BYTES), null);
        }
        Manifest manifest;
        try (InputStream in = storage.open(UpdateLog.MANIFEST)) {
            manifest = Manifest.parse(in.readAllBytes());
        } catch (IllegalArgumentException e) {
            throw badManifest(String.valueOf(e.getMessage()), e);
        }
        if (!manifest.baseSha256().equals(baseSha256)) {
            throw new DataDirException(
                    DataDirException.Problem.WRONG_BASE,
                    "%s: its versions belong to another model file, or to weights in other formats: sha256=%s, this one has %s"
                            .formatted(storage, manifest.baseSha256(), baseSha256));
        }
        return manifest;
    }

    private DataDirException badManifest(String reason, @Nullable Throwable cause) {
        return new DataDirException(
                DataDirException.Problem.BAD_MANIFEST, "%s: damaged %s: %s".formatted(storage, UpdateLog.MANIFEST, reason), cause);
    }

    /** That it is there, and as long as it must be; what is in it is for {@link PayloadChecks}. */
    private void requirePayload(VersionRecord.WithPayload update, Set<String> files) throws IOException, DataDirException {
        String name = update.payloadFile();
        if (!files.contains(name)) {
            throw new DataDirException(
                    DataDirException.Problem.PAYLOAD_MISSING,
                    "%s: payload of version %d is missing: %s".formatted(storage, update.weightsVersion(), name));
        }
        long bytes = storage.size(name);
        if (bytes != update.byteLength()) {
            throw PayloadChecks.damaged(storage, update, "bytes=%d, expected=%d".formatted(bytes, update.byteLength()));
        }
    }

    private void removeLeftovers(Manifest manifest) throws IOException {
        Set<String> named = VersionHistory.payloads(manifest).stream()
                .map(VersionRecord.WithPayload::payloadFile)
                .collect(Collectors.toSet());
        List<String> leftovers = new ArrayList<>();
        for (String file : storage.list()) {
            boolean unnamedPayload = PAYLOAD.matcher(file).matches() && !named.contains(file);
            boolean temporary = file.equals(UpdateLog.MANIFEST_TEMP) || SPOOL.matcher(file).matches();
            if (unnamedPayload || temporary) {
                leftovers.add(file);
            }
        }
        for (String file : leftovers) {
            storage.delete(file);
            log.warn("removed what an interrupted change had left: {}", storage.path(file));
        }
        if (!leftovers.isEmpty()) {
            storage.force();
        }
    }
}
