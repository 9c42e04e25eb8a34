package dev.tidestream.server.app;

import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.LongFunction;
import java.util.function.Supplier;

import org.jspecify.annotations.Nullable;

import dev.tidestream.model.quantisation.WeightFormats;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.admin.store.UpdateLog;
import dev.tidestream.server.admin.store.directory.Sha256;
import dev.tidestream.server.openai.Fingerprints;

/**
 * Names of what decides the bits of an answer: the content of the model file, of its tokenizer and its chat templates, the updates on top
 * of it, how it is computed. Files are read for that once, when somebody asks first, on a thread of its own; again if that has failed. Any
 * thread.
 */
final class ModelFingerprints implements Fingerprints {
    private static final int HEX_DIGITS = 12;
    private static final int MAX_KEPT = 64;
    private static final String NO_UPDATES = Sha256.of(new byte[0]);

    private final Supplier<List<String>> content;
    private final LongFunction<String> updates;
    private final String precision;
    private final Executor reading;
    private final Map<Key, String> known = new LinkedHashMap<>() { // guarded by itself
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Key, String> eldest) {
            return size() > MAX_KEPT;
        }
    };
    private @Nullable CompletableFuture<List<String>> read; // guarded by this

    private record Key(long weightsVersion, String headMode) {}

    /**
     * @param content of what is served, read when it is asked for
     * @param updates that a version has on top of it; asked on event loops
     * @param precision of the process
     * @param reading where the content is read
     */
    ModelFingerprints(Supplier<List<String>> content, LongFunction<String> updates, String precision, Executor reading) {
        this.content = content;
        this.updates = updates;
        this.precision = precision;
        this.reading = reading;
    }

    /**
     * Of a server.
     *
     * @param log null if its weights are the file's
     * @param formats that weights are held in
     */
    static ModelFingerprints of(Served served, @Nullable UpdateLog log, WeightFormats formats) {
        return new ModelFingerprints(served::contentSha256, version -> log == null ? unknown(version) : updates(log, version),
                served.precision() + (formats.asTheyAre() ? "" : ", " + formats.words()), task -> Thread.ofPlatform().name("tidestream-fingerprint").daemon().start(task));
    }

    /** Without a log there are no updates; but of a cluster's versions, of which others know more. */
    private static String unknown(long weightsVersion) {
        return weightsVersion <= UpdateLog.BASE_VERSION ? "" : "version " + weightsVersion;
    }

    private static String updates(UpdateLog log, long weightsVersion) {
        try {
            return log.rebuilds().contentSha256(weightsVersion);
        } catch (AdminException e) {
            throw new IllegalStateException("a version that is served is not in the log: weights_version=" + weightsVersion, e);
        }
    }

    @Override
    public CompletableFuture<?> ready() {
        return read();
    }

    private synchronized CompletableFuture<List<String>> read() {
        CompletableFuture<List<String>> before = read;
        if (before != null && !before.isCompletedExceptionally()) {
            return before;
        }
        CompletableFuture<List<String>> next = CompletableFuture.supplyAsync(content, reading);
        read = next;
        return next;
    }

    /**
     * Hashes of the model file and of what makes prompts; after {@link #ready} has completed.
     *
     * @throws IllegalStateException if it has not
     */
    List<String> contentSha256() {
        return read().resultNow();
    }

    /** Hash of the updates that a version has on top of the file. */
    String updatesSha256(long weightsVersion) {
        String ofLog = updates.apply(weightsVersion);
        return ofLog.isEmpty() ? NO_UPDATES : ofLog; // without a log there are none, as with one that is empty
    }

    @Override
    public String of(long weightsVersion, String headMode) {
        synchronized (known) {
            return known.computeIfAbsent(new Key(weightsVersion, headMode), this::compute);
        }
    }

    private String compute(Key key) {
        String files = String.join("\n", read().join());
        String decides = String.join("\n", files, updates.apply(key.weightsVersion()), precision, key.headMode());
        return "ts_" + Sha256.of(decides.getBytes(StandardCharsets.UTF_8)).substring(0, HEX_DIGITS);
    }
}
