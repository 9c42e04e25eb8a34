package dev.tidestream.server.app;

import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

import org.jspecify.annotations.Nullable;

import dev.tidestream.model.tied.HeadMode;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.admin.store.UpdateLog;
import dev.tidestream.server.admin.store.directory.Sha256;
import dev.tidestream.server.openai.Fingerprints;

/**
 * Names of what decides the bits of an answer: the content of the model file, the updates on top of it, how it is computed. The file is
 * read for that once, when somebody asks first, on a thread of its own. Any thread.
 */
final class ModelFingerprints implements Fingerprints {
    private static final int HEX_DIGITS = 12;
    private static final int MAX_KEPT = 64;

    private final ModelRuntime running;
    private final @Nullable UpdateLog log;
    private final Map<Key, String> known = new LinkedHashMap<>() { // guarded by itself
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Key, String> eldest) {
            return size() > MAX_KEPT;
        }
    };
    private @Nullable CompletableFuture<String> file; // guarded by this

    private record Key(long weightsVersion, HeadMode headMode) {}

    /** @param log null for a server whose weights are the file's */
    ModelFingerprints(ModelRuntime running, @Nullable UpdateLog log) {
        this.running = running;
        this.log = log;
    }

    @Override
    public synchronized CompletableFuture<?> ready() {
        if (file == null) {
            file = CompletableFuture.supplyAsync(() -> running.fileSha256(), task -> Thread.ofPlatform().name("tidestream-fingerprint").daemon().start(task));
        }
        return file;
    }

    @Override
    public String of(long weightsVersion) {
        Key key = new Key(weightsVersion, running.headMode());
        synchronized (known) {
            return known.computeIfAbsent(key, this::compute);
        }
    }

    private String compute(Key key) {
        try {
            String updates = log == null ? "" : log.rebuilds().contentSha256(key.weightsVersion());
            String decides = String.join("\n", String.valueOf(ready().join()), updates, String.valueOf(running.precision()), key.headMode().name());
            return "ts_" + Sha256.of(decides.getBytes(StandardCharsets.UTF_8)).substring(0, HEX_DIGITS);
        } catch (AdminException e) {
            throw new IllegalStateException("a version that is served is not in the log: weights_version=" + key.weightsVersion(), e);
        }
    }
}
