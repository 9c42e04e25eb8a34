package dev.tidestream.server.adapters;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongUnaryOperator;
import java.util.regex.Pattern;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.tidestream.model.adapter.AdapterException;
import dev.tidestream.server.adapters.AdapterRefusedException.Reason;
import dev.tidestream.server.adapters.file.AdapterFiles;
import dev.tidestream.server.adapters.file.ReadAdapter;
import dev.tidestream.server.epoch.CurrentEpoch;
import dev.tidestream.server.epoch.Lease;

/**
 * The adapters that are served, by name. One is loaded at a time; whoever looks one up never waits. An adapter fits every version of
 * the weights, since all have the same shapes; it was checked against the version that was current when it was loaded. An unloaded one
 * keeps its memory until the last stream that uses it has ended. Any thread.
 */
public final class AdapterRegistry implements ServedAdapters, AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(AdapterRegistry.class);

    private static final long FILES_VERSION = 1; // of the weights as the model's files have them
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._:/@-]{0,127}");

    private final AdapterLimits limits;
    private final LongUnaryOperator budget;
    private final CurrentEpoch epochs;
    private final String modelName;
    private final AtomicLong bytes = new AtomicLong(); // of all that have memory
    private long numbers;
    private volatile SequencedMap<String, ServedAdapter> served = Collections.unmodifiableSequencedMap(new LinkedHashMap<>());

    /**
     * @param budget bytes that a memory budget leaves for adapters, of the bytes that the weights of all versions take
     * @param epochs that own their weights
     * @param modelName which no adapter may have
     */
    public AdapterRegistry(AdapterLimits limits, LongUnaryOperator budget, CurrentEpoch epochs, String modelName) {
        this.limits = limits;
        this.budget = budget;
        this.epochs = epochs;
        this.modelName = modelName;
    }

    @Override
    public Optional<ServedAdapter> find(String name) {
        return Optional.ofNullable(served.get(name));
    }

    /** What they may take. */
    public AdapterLimits limits() {
        return limits;
    }

    /** All that are served, in the order in which they were loaded. */
    public List<ServedAdapter> all() {
        return List.copyOf(served.values());
    }

    /** Bytes of memory of all of them, those included that were unloaded and that streams still use. */
    public long bytes() {
        return bytes.get();
    }

    /**
     * Loads an adapter from the directory of adapters. Takes as long as reading takes.
     *
     * @param path relative to that directory, or within it
     * @throws AdapterRefusedException if it is not served then; nothing has changed
     */
    public ServedAdapter loadWithin(String name, String path) {
        Path directory = limits.directory();
        if (directory == null) {
            throw refused(Reason.INVALID_PATH, "no adapter can be loaded at run time: the server was started without --adapter-dir", null);
        }
        try {
            Path root = directory.toRealPath();
            Path real = root.resolve(path).toRealPath();
            requireWithin(root, real, path);
            for (Path file : AdapterFiles.files(real)) {
                if (Files.exists(file)) {
                    requireWithin(root, file.toRealPath(), path);
                }
            }
            return load(name, real);
        } catch (InvalidPathException | IOException e) {
            throw refused(Reason.INVALID_PATH, "nothing is there in the directory of adapters: path=" + path, e);
        }
    }

    private static void requireWithin(Path root, Path real, String path) {
        if (!real.startsWith(root)) {
            throw refused(Reason.INVALID_PATH, "outside of the directory of adapters: path=" + path, null);
        }
    }

    /**
     * Loads an adapter from anywhere. Takes as long as reading takes.
     *
     * @throws AdapterRefusedException if it is not served then; nothing has changed
     */
    public synchronized ServedAdapter load(String name, Path path) {
        requireFree(name);
        ReadAdapter read = read(name, path);
        boolean done = false;
        try {
            long adapterBytes = read.adapter().bytes();
            requireRoom(name, adapterBytes);
            bytes.addAndGet(adapterBytes);
            ServedAdapter added = new ServedAdapter(name, ++numbers, read, path.toString(), Instant.now().getEpochSecond(),
                    () -> bytes.addAndGet(-adapterBytes));
            SequencedMap<String, ServedAdapter> next = new LinkedHashMap<>(served);
            next.put(name, added);
            served = Collections.unmodifiableSequencedMap(next);
            done = true;
            read.warnings().forEach(warning -> log.warn("adapter: name={}: {}", name, warning));
            log.info("adapter loaded: name={}, path={}, format={}, bytes={}, highest_rank={}, tied={}, sha256={}",
                    name, path, read.format(), adapterBytes, read.highestRank(), read.tied(), read.sha256());
            return added;
        } finally {
            if (!done) {
                read.adapter().close();
            }
        }
    }

    private void requireFree(String name) {
        if (!NAME.matcher(name).matches()) {
            throw refused(Reason.INVALID_NAME, "a name has 1 to 128 letters, digits and ._:/@-, and begins with a letter or digit: name="
                    + name, null);
        }
        if (served.containsKey(name)) {
            throw refused(Reason.ALREADY_LOADED, "an adapter of this name is served: name=%s; unload it first".formatted(name), null);
        }
        if (name.equals(modelName)) {
            throw refused(Reason.ALREADY_LOADED, "the model is called so: name=" + name, null);
        }
        if (served.size() >= limits.maxAdapters()) {
            throw refused(Reason.LIMIT, "too many adapters: served=%d, limit=%d".formatted(served.size(), limits.maxAdapters()), null);
        }
    }

    private ReadAdapter read(String name, Path path) {
        try (Lease lease = epochs.lease()) {
            requireRoom(name, AdapterFiles.bytes(path));
            return AdapterFiles.read(path, lease.epoch().loaded(), lease.epoch().weightsVersion() > FILES_VERSION);
        } catch (AdapterRefusedException e) {
            throw e;
        } catch (AdapterException e) {
            throw refused(Reason.INVALID_ADAPTER, "adapter %s: %s".formatted(name, e.getMessage()), e);
        } catch (IOException e) {
            throw refused(Reason.UNREADABLE, "adapter %s cannot be read: %s".formatted(name, e.getMessage()), e);
        } catch (OutOfMemoryError e) {
            throw refused(Reason.LIMIT, "there is no memory for adapter %s".formatted(name), e);
        }
    }

    private void requireRoom(String name, long added) {
        long taken = bytes.get();
        long weights = weightBytes();
        long left = budget.applyAsLong(weights) - taken;
        if (added > left) {
            throw refused(Reason.BUDGET, "adapter %s does not fit the memory budget: bytes=%d, left=%d, adapter_bytes=%d, weight_bytes=%d"
                    .formatted(name, added, Math.max(0, left), taken, weights), null);
        }
        if (added > limits.maxBytes() - taken) {
            throw refused(Reason.LIMIT, "no room for adapter %s: bytes=%d, taken=%d, limit=%d".formatted(
                    name, added, taken, limits.maxBytes()), null);
        }
    }

    private long weightBytes() {
        try (Lease lease = epochs.lease()) {
            return lease.epoch().loaded().familyBytes();
        }
    }

    /**
     * Serves an adapter no longer. Streams that compute with it go on to their end.
     *
     * @return as it was
     * @throws AdapterRefusedException if no adapter of this name is served
     */
    public synchronized ServedAdapter unload(String name) {
        ServedAdapter leaving = served.get(name);
        if (leaving == null) {
            throw refused(Reason.NOT_LOADED, "no adapter of this name is served: name=" + name, null);
        }
        SequencedMap<String, ServedAdapter> next = new LinkedHashMap<>(served);
        next.remove(name);
        served = Collections.unmodifiableSequencedMap(next);
        leaving.retire();
        log.info("adapter unloaded: name={}, streams={}", name, leaving.status().streams());
        return leaving;
    }

    /** Unloads all of them. */
    @Override
    public synchronized void close() {
        new ArrayList<>(served.keySet()).forEach(this::unload);
    }

    private static AdapterRefusedException refused(Reason reason, String message, @Nullable Throwable cause) {
        return new AdapterRefusedException(reason, message, cause);
    }
}
