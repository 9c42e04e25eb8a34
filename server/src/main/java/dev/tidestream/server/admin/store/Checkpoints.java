package dev.tidestream.server.admin.store;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.locks.Lock;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.tidestream.model.tensor.WeightTensor;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.transformer.OwnedTensor;
import dev.tidestream.server.admin.AdminDesk.ProgressSink;
import dev.tidestream.server.admin.store.checkpoint.CheckpointException;
import dev.tidestream.server.admin.store.checkpoint.CheckpointFormat;
import dev.tidestream.server.admin.store.checkpoint.CheckpointReader;
import dev.tidestream.server.admin.store.checkpoint.CheckpointWriter;
import dev.tidestream.server.admin.store.directory.Storage;

/**
 * Versions of the weights that need not be rebuilt from all their updates, since their tensors are in the data directory:
 *
 * <pre>
 * checkpoint.tmp       tensors of version 113       fsync
 * checkpoint-113-….bin ◄ rename                     fsync of the directory
 * checkpoint-97-….bin  stays, in case that the new one cannot be read; older ones are removed
 * </pre>
 *
 * <p>They are derived from what the manifest names, and nothing depends on them: the history is complete without. One that is damaged,
 * of another history or of another version of the program is removed with a warning, and updates are applied instead, as for a
 * version before the oldest. A crash at any step leaves a temporary file, one checkpoint more, or one too many; {@link #open}
 * sees to that.
 *
 * <p>Any thread; one writes at a time.
 */
public final class Checkpoints {
    static final String TEMP = "checkpoint.tmp";
    /** The newest, and the one before. */
    static final int KEPT = 2;

    private static final Logger log = LoggerFactory.getLogger(Checkpoints.class);
    private static final Pattern FILE = Pattern.compile("checkpoint-([0-9]{1,18})-[0-9a-f]{16}\\.bin");
    /** Left free on the disk: updates need it more. */
    private static final long SPARE_BYTES = 256L << 20;

    private final Storage storage;
    private final Lock directory;
    private final ConcurrentSkipListMap<Long, String> files = new ConcurrentSkipListMap<>(); // names of usable ones, by version

    /** @param directory held by whoever changes names in the storage */
    Checkpoints(Storage storage, Lock directory) {
        this.storage = storage;
        this.directory = directory;
    }

    /** Whether a file is one of ours, finished or not. */
    static boolean isOurs(String file) {
        return file.equals(TEMP) || FILE.matcher(file).matches();
    }

    /** Finds what can be used, and removes what cannot. */
    void open(Manifest manifest) throws IOException {
        boolean removed = false;
        for (String file : storage.list()) {
            if (file.equals(TEMP)) {
                log.warn("removed what an interrupted checkpoint had left: {}", storage.path(file));
                storage.delete(file);
                removed = true;
            } else if (FILE.matcher(file).matches() && !find(file, manifest)) {
                storage.delete(file);
                removed = true;
            }
        }
        removed |= removeOld();
        if (removed) {
            storage.force();
        }
    }

    private boolean find(String file, Manifest manifest) throws IOException {
        Matcher name = FILE.matcher(file);
        long version = name.matches() ? Long.parseLong(name.group(1)) : 0;
        if (version <= UpdateLog.BASE_VERSION || version > VersionHistory.newest(manifest)) {
            log.warn("checkpoint is of no use and removed: {}: no such version: weights_version={}, known={}..{}",
                    storage.path(file), version, UpdateLog.BASE_VERSION, VersionHistory.newest(manifest));
            return false;
        }
        try (InputStream in = storage.open(file)) {
            byte[] prefix = in.readNBytes(CheckpointFormat.PREFIX_BYTES);
            if (!file.equals(name(manifest, version)) || !Arrays.equals(prefix, prefix(manifest, version))) {
                log.warn("checkpoint is of no use and removed: {}: of another history, another version of this program, or damaged",
                        storage.path(file));
                return false;
            }
        }
        files.put(version, file);
        return true;
    }

    private static String name(Manifest manifest, long version) {
        return "checkpoint-" + version + "-" + VersionHistory.sha256(manifest, version).substring(0, 16) + ".bin";
    }

    private static byte[] prefix(Manifest manifest, long version) {
        return CheckpointFormat.prefix(version, manifest.baseSha256(), VersionHistory.sha256(manifest, version));
    }

    /** Removes all but the newest. Durable after the next {@code force}. */
    private boolean removeOld() throws IOException {
        boolean removed = false;
        while (files.size() > KEPT) {
            Map.Entry<Long, String> oldest = files.firstEntry();
            files.remove(oldest.getKey());
            storage.delete(oldest.getValue());
            removed = true;
        }
        return removed;
    }

    /** Those that can be used, as far as is known. */
    Set<Long> versions() {
        return Set.copyOf(files.keySet());
    }

    /**
     * Writes one, and makes it durable. What goes wrong leaves those there are.
     *
     * @param manifest of which the version is the newest, or an older one
     * @param tensors all in which the version may differ from the model file, sorted by name
     * @return false if it was given up, or is there already
     */
    boolean write(Manifest manifest, long version, SequencedMap<String, WeightTensor> tensors, CheckpointWriter.Pacer pacer)
            throws IOException {
        if (files.containsKey(version)) {
            return false;
        }
        List<CheckpointFormat.Part> parts = new ArrayList<>();
        tensors.forEach((name, tensor) -> parts.add(CheckpointFormat.Part.of(name, tensor)));
        long bytes = CheckpointFormat.fileBytes(parts);
        long usableBytes = storage.usableBytes();
        if (bytes > usableBytes - SPARE_BYTES) {
            throw new IOException("the disk is too full: bytes=%s, to_spare=%s, usable_bytes=%s".formatted(bytes, SPARE_BYTES, usableBytes));
        }
        boolean done = false;
        try {
            boolean written;
            try (Storage.Sink sink = storage.create(TEMP)) {
                written = new CheckpointWriter(sink, pacer, prefix(manifest, version), parts).write(tensors);
            }
            done = written && install(name(manifest, version), version);
            return done;
        } finally {
            if (!done) {
                remove(TEMP);
            }
        }
    }

    /** What is left behind is harmless, and seen to at the next start. */
    private void remove(String file) {
        directory.lock();
        try {
            storage.delete(file);
        } catch (IOException e) {
            log.warn("file could not be removed, the next start will: {}", storage.path(file), e);
        } finally {
            directory.unlock();
        }
    }

    /** Nobody else forces the directory meanwhile, who would be told of our failure, or we of theirs. */
    private boolean install(String name, long version) throws IOException {
        directory.lock();
        try {
            storage.rename(TEMP, name);
            storage.force();
            files.put(version, name);
            if (removeOld()) {
                storage.force();
            }
            return true;
        } finally {
            directory.unlock();
        }
    }

    /**
     * The tensors of one, by name; the caller's.
     *
     * @param parts that it must have: all in which the version may differ from the model file, sorted by name
     * @param team whose pace is kept
     * @throws CheckpointException if it cannot be used
     */
    Map<String, OwnedTensor> read(
            Manifest manifest, long version, Collection<CheckpointFormat.Part> parts, WorkerTeam team, ProgressSink progress)
            throws CheckpointException {
        String file = files.get(version);
        if (file == null) {
            throw new CheckpointException(version, "it was removed", null);
        }
        try (InputStream in = storage.open(file)) {
            return new CheckpointReader(in, storage.size(file), prefix(manifest, version), List.copyOf(parts), team, progress).read();
        } catch (IOException e) {
            throw new CheckpointException(version, String.valueOf(e.getMessage()), e);
        }
    }

    /** One could not be used: it will not be tried again. */
    void refuse(CheckpointException reason) {
        String file = files.remove(reason.weightsVersion());
        if (file == null) {
            return;
        }
        log.warn("checkpoint is damaged and removed, its updates are applied again: {}: {}", storage.path(file), reason.getMessage());
        remove(file);
    }
}
