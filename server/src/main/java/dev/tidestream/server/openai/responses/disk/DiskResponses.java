package dev.tidestream.server.openai.responses.disk;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.tidestream.console.Reasons;
import dev.tidestream.server.admin.store.directory.Storage;
import dev.tidestream.server.openai.responses.LiveResponse;
import dev.tidestream.server.openai.responses.ResponseStore;

/**
 * Responses in a directory, a file each, beside those in memory. A file is written under another name, forced and renamed, so that there
 * is all of it or nothing. That is done behind the answer, on one thread, in the order of the ends: who is told of an end may be told
 * before it is durable. Beyond the limits the oldest are deleted. Any thread.
 */
public final class DiskResponses implements ResponseStore, AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(DiskResponses.class);
    private static final long MAX_PENDING_BYTES = 64L << 20; // estimated
    private static final int CLOSE_S = 30;
    private static final String UNFINISHED = "unfinished-";
    private static final Pattern NAME = Pattern.compile("([0-9a-f]{16})-(resp_[0-9a-f]{1,64})\\.json");

    private final Storage storage;
    private final DiskLimits limits;
    private final ResponseStore memory;
    private final ExecutorService files = Executors.newSingleThreadExecutor(Thread.ofPlatform().name("tidestream-responses").factory());
    private final LinkedHashMap<String, Entry> entries = new LinkedHashMap<>(); // the oldest comes first
    private final Set<String> removed = new HashSet<>(); // whose files are about to go
    private long bytes;
    private long pendingBytes;
    private long lastNumber;
    private long missed; // since one could be written

    /** @param bytes of the file; 0 while it is still to be written */
    private record Entry(String name, long bytes) {}

    private DiskResponses(Storage storage, DiskLimits limits, ResponseStore memory) {
        this.storage = storage;
        this.limits = limits;
        this.memory = memory;
    }

    /**
     * Looks which responses there are, and deletes those beyond the limits and what was not finished.
     *
     * @param storage of nobody else; closed with this
     * @param memory of responses that run, and of those that need not be read
     */
    public static DiskResponses open(Storage storage, DiskLimits limits, ResponseStore memory) throws IOException {
        DiskResponses opened = new DiskResponses(storage, limits, memory);
        boolean ok = false;
        try {
            opened.look();
            ok = true;
            return opened;
        } finally {
            if (!ok) {
                opened.files.shutdown();
            }
        }
    }

    /** Before anybody else knows of it. */
    private synchronized void look() throws IOException {
        for (String name : storage.list()) { // in the order of their numbers
            Matcher known = NAME.matcher(name);
            if (known.matches()) {
                lastNumber = Math.max(lastNumber, Long.parseUnsignedLong(known.group(1), 16));
                Entry entry = new Entry(name, storage.size(name));
                entries.put(known.group(2), entry);
                bytes += entry.bytes();
            } else if (name.startsWith(UNFINISHED)) {
                storage.delete(name);
            }
        }
        deleteOldest();
        storage.force();
    }

    @Override
    public void begin(LiveResponse response) {
        memory.begin(response);
    }

    @Override
    public void end(LiveResponse response) {
        memory.end(response);
        if (response.deleted()) {
            return;
        }
        String id = response.origin().id();
        long size = response.heldBytes();
        synchronized (this) {
            if (response.deleted()) {
                return; // since it was looked at above
            }
            if (pendingBytes + size > MAX_PENDING_BYTES || files.isShutdown()) {
                miss("too much is waiting to be written: bytes=" + pendingBytes);
                return;
            }
            pendingBytes += size;
            entries.put(id, new Entry("%016x-%s.json".formatted(++lastNumber, id), 0));
            files.execute(() -> write(response, id, size));
        }
    }

    private void write(LiveResponse response, String id, long size) {
        try {
            Entry entry = waiting(id);
            if (entry != null) {
                byte[] json = ResponseFormat.write(response);
                if (json.length > limits.maxBytes()) {
                    miss("larger than all may be: bytes=%d, limit=%d".formatted(json.length, limits.maxBytes()));
                    forget(id);
                } else {
                    write(entry.name(), json);
                    written(id, json.length);
                    deleteOldest();
                }
            }
        } catch (IOException | RuntimeException e) {
            miss(Reasons.of(e));
            forget(id);
        } finally {
            synchronized (this) {
                pendingBytes -= size;
            }
        }
    }

    private synchronized @Nullable Entry waiting(String id) {
        return removed.contains(id) ? null : entries.get(id);
    }

    private void write(String name, byte[] json) throws IOException {
        String unfinished = UNFINISHED + name;
        try {
            try (Storage.Sink sink = storage.create(unfinished)) {
                sink.write(ByteBuffer.wrap(json));
                sink.force();
            }
            storage.rename(unfinished, name);
            storage.force();
        } catch (IOException | RuntimeException e) {
            clear(unfinished, e);
            clear(name, e);
            throw e;
        }
    }

    /** What is left of a failed write takes room that nobody counts. */
    private void clear(String name, Exception failure) {
        try {
            storage.delete(name);
        } catch (IOException | RuntimeException e) {
            failure.addSuppressed(e); // what is unfinished is deleted at the next start
        }
    }

    private synchronized void written(String id, int length) {
        Entry entry = entries.get(id);
        if (entry != null) {
            entries.replace(id, new Entry(entry.name(), length));
            bytes += length;
        }
        if (missed > 0) {
            log.info("responses can be stored again: missed={}", missed);
            missed = 0;
        }
    }

    /** Said once, until one can be written again. */
    private synchronized void miss(String why) {
        if (missed++ == 0) {
            log.warn("a response could not be stored in {} and will be gone after a restart: {}", storage, why);
        }
    }

    private synchronized void forget(String id) {
        Entry entry = entries.remove(id);
        if (entry != null) {
            bytes -= entry.bytes();
        }
    }

    /** What cannot be deleted is kept, and tried again with the next that is written. */
    private void deleteOldest() {
        for (Map.Entry<String, Entry> old : takeOldest().reversed()) {
            try {
                storage.delete(old.getValue().name());
            } catch (IOException | RuntimeException e) {
                log.warn("a stored response beyond the limits could not be deleted: file={}: {}",
                        storage.path(old.getValue().name()), Reasons.of(e));
                putBack(old);
            }
        }
    }

    private synchronized void putBack(Map.Entry<String, Entry> old) {
        entries.putFirst(old.getKey(), old.getValue());
        bytes += old.getValue().bytes();
    }

    /** Those beyond the limits, the oldest first, which there are no more from now on. */
    private synchronized List<Map.Entry<String, Entry>> takeOldest() {
        List<Map.Entry<String, Entry>> taken = new ArrayList<>();
        Iterator<Map.Entry<String, Entry>> oldest = entries.entrySet().iterator();
        while ((entries.size() > limits.maxResponses() || bytes > limits.maxBytes()) && oldest.hasNext()) {
            Map.Entry<String, Entry> old = oldest.next();
            if (old.getValue().bytes() > 0) { // else it is still to be written, and will be looked at then
                taken.add(Map.entry(old.getKey(), old.getValue()));
                bytes -= old.getValue().bytes();
                oldest.remove();
            }
        }
        return taken;
    }

    @Override
    public CompletableFuture<Optional<LiveResponse>> find(String id) {
        return memory.find(id).thenCompose(found -> {
            synchronized (this) {
                if (removed.contains(id)) {
                    return CompletableFuture.completedFuture(Optional.empty()); // a read may have brought it back to memory meanwhile
                }
                if (found.isPresent() || !entries.containsKey(id) || files.isShutdown()) {
                    return CompletableFuture.completedFuture(found);
                }
                return CompletableFuture.supplyAsync(() -> read(id), files);
            }
        });
    }

    private Optional<LiveResponse> read(String id) {
        Entry entry = waiting(id);
        if (entry == null || entry.bytes() == 0) {
            return Optional.empty(); // it has gone meanwhile
        }
        byte[] file;
        try (InputStream in = storage.open(entry.name())) {
            file = in.readAllBytes();
        } catch (NoSuchFileException e) {
            log.warn("a stored response has gone: file={}", storage.path(entry.name()));
            forget(id);
            return Optional.empty();
        } catch (IOException e) {
            throw new CompletionException(e);
        }
        try {
            LiveResponse response = ResponseFormat.read(file);
            memory.end(response); // the next one need not read it
            return Optional.of(response);
        } catch (IOException e) {
            log.warn("a stored response is damaged: file={}", storage.path(entry.name()), e);
            return Optional.empty();
        }
    }

    @Override
    public CompletableFuture<Boolean> remove(String id) {
        return memory.remove(id).thenCompose(inMemory -> {
            synchronized (this) {
                if (!entries.containsKey(id) || removed.contains(id) || files.isShutdown()) {
                    return CompletableFuture.completedFuture(inMemory);
                }
                removed.add(id);
                return CompletableFuture.supplyAsync(() -> delete(id), files);
            }
        });
    }

    /** Behind what was to be written or read. */
    private boolean delete(String id) {
        Entry entry;
        synchronized (this) {
            entry = entries.get(id);
        }
        try {
            if (entry != null) {
                storage.delete(entry.name());
                storage.force();
            }
            forget(id);
            return true;
        } catch (IOException e) { // it is still there
            throw new CompletionException(e);
        } finally {
            var _ = memory.remove(id); // a read that was under way has put it there
            synchronized (this) {
                removed.remove(id);
            }
        }
    }

    /** How many are on disk, or on their way to it. */
    synchronized int size() {
        return entries.size();
    }

    /** What is still to be written is, within a bounded time. */
    @Override
    public void close() throws IOException {
        synchronized (this) {
            files.shutdown(); // nobody is between a look whether it is and a task for it
        }
        try {
            if (!files.awaitTermination(CLOSE_S, TimeUnit.SECONDS)) {
                log.warn("responses are left that could not be stored in time: seconds={}", CLOSE_S);
                files.shutdownNow();
            }
        } catch (InterruptedException e) {
            files.shutdownNow();
            Thread.currentThread().interrupt();
        }
        storage.close();
    }
}
