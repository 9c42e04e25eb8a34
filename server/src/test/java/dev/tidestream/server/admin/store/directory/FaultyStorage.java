package dev.tidestream.server.admin.store.directory;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.random.RandomGenerator;

import org.jspecify.annotations.Nullable;

/**
 * A directory in memory that fails when told to, and forgets what was not forced. It counts every operation that changes
 * something. An operation that fails may have happened or not, in part or in full.
 *
 * <p>After a loss of power ({@link #afterPowerLoss}) the disk holds what was forced, and of the rest any choice: each change of
 * the directory by itself, each file's unforced tail up to any length, or as zeros.
 */
public final class FaultyStorage implements Storage {

    /** The process dies here; nobody may catch it. */
    public static final class Crash extends Error {
        private static final long serialVersionUID = 1L;
    }

    private static final class Content {
        private final ByteArrayOutputStream written = new ByteArrayOutputStream();
        private int forcedBytes;
    }

    private record Change(String name, @Nullable Content content) {}

    private final Map<String, Content> files = new TreeMap<>();
    private final Map<String, Content> durable = new TreeMap<>();
    private final List<Change> pending = new ArrayList<>();
    private int operations;
    private int failAt = -1;
    private int failCount;
    private String failure = "No space left on device";
    private boolean crash;
    private boolean crashed;
    private boolean before;
    private long usableBytes = Long.MAX_VALUE;
    private boolean open = true;

    /** Lets {@code count} operations fail, from the n-th (0-based, counted from now) on, before or after they take effect. */
    public void failAt(int n, int count, boolean beforeEffect, String message) {
        operations = 0;
        failAt = n;
        failCount = count;
        before = beforeEffect;
        failure = message;
        crash = false;
    }

    /** Lets the process die at the n-th operation from now on. */
    public void crashAt(int n, boolean beforeEffect) {
        failAt(n, 1, beforeEffect, "crash");
        crash = true;
    }

    public int operations() {
        return operations;
    }

    public void usableBytes(long bytes) {
        usableBytes = bytes;
    }

    public boolean isOpen() {
        return open;
    }

    public byte[] content(String name) {
        Content content = files.get(name);
        return content == null ? new byte[0] : content.written.toByteArray();
    }

    public void put(String name, byte[] bytes) {
        Content content = new Content();
        content.written.writeBytes(bytes);
        content.forcedBytes = bytes.length;
        files.put(name, content);
        durable.put(name, content);
    }

    /** The same files, for another process; nothing is lost. */
    public FaultyStorage afterKill() {
        FaultyStorage next = new FaultyStorage();
        files.forEach((name, content) -> next.put(name, content.written.toByteArray()));
        return next;
    }

    /** What a disk may hold after the power went. */
    public FaultyStorage afterPowerLoss(RandomGenerator random) {
        Map<String, Content> entries = new TreeMap<>(durable);
        for (Change change : pending) {
            if (random.nextBoolean()) {
                apply(change, entries);
            }
        }
        FaultyStorage next = new FaultyStorage();
        entries.forEach((name, content) -> next.put(name, survivor(content, random)));
        return next;
    }

    private static byte[] survivor(Content content, RandomGenerator random) {
        byte[] written = content.written.toByteArray();
        int unforced = written.length - content.forcedBytes;
        byte[] bytes = Arrays.copyOf(written, content.forcedBytes + (unforced == 0 ? 0 : random.nextInt(unforced + 1)));
        if (random.nextInt(4) == 0) {
            Arrays.fill(bytes, content.forcedBytes, bytes.length, (byte) 0);
        }
        return bytes;
    }

    private static void apply(Change change, Map<String, Content> entries) {
        if (change.content() == null) {
            entries.remove(change.name());
        } else {
            entries.put(change.name(), change.content());
        }
    }

    private interface Effect {
        void run() throws IOException;
    }

    private void operate(Effect effect) throws IOException {
        if (crashed) {
            throw new Crash(); // the dead do nothing, not even in a finally block
        }
        int n = operations++;
        boolean fails = failAt >= 0 && n >= failAt && n < failAt + failCount;
        if (fails && before) {
            fail();
        }
        effect.run();
        if (fails) {
            fail();
        }
    }

    private void fail() throws IOException {
        if (crash) {
            crashed = true;
            throw new Crash();
        }
        throw new IOException(failure);
    }

    private void change(String name, @Nullable Content content) {
        Change change = new Change(name, content);
        apply(change, files);
        pending.add(change);
    }

    private Content existing(String name) throws IOException {
        Content content = files.get(name);
        if (content == null) {
            throw new NoSuchFileException(name);
        }
        return content;
    }

    @Override
    public List<String> list() {
        return List.copyOf(files.keySet());
    }

    @Override
    public InputStream open(String name) throws IOException {
        return new ByteArrayInputStream(existing(name).written.toByteArray());
    }

    @Override
    public long size(String name) throws IOException {
        return existing(name).written.size();
    }

    @Override
    public Sink create(String name) throws IOException {
        Content content = new Content();
        operate(() -> change(name, content));
        return sink(content);
    }

    @Override
    public Sink append(String name, long bytes) throws IOException {
        Content content = existing(name);
        operate(() -> {
            byte[] kept = Arrays.copyOf(content.written.toByteArray(), Math.toIntExact(bytes));
            content.written.reset();
            content.written.writeBytes(kept);
            content.forcedBytes = Math.min(content.forcedBytes, kept.length);
        });
        return sink(content);
    }

    private Sink sink(Content content) {
        return new Sink() {
            @Override
            public void write(ByteBuffer bytes) throws IOException {
                byte[] all = new byte[bytes.remaining()];
                bytes.get(all);
                operate(() -> content.written.write(all, 0, all.length / 2));
                operate(() -> content.written.write(all, all.length / 2, all.length - all.length / 2));
            }

            @Override
            public void force() throws IOException {
                operate(() -> content.forcedBytes = content.written.size());
            }

            @Override
            public void close() throws IOException {
                operate(() -> { });
            }
        };
    }

    @Override
    public void rename(String from, String to) throws IOException {
        Content content = existing(from);
        operate(() -> {
            change(to, content);
            change(from, null);
        });
    }

    @Override
    public void delete(String name) throws IOException {
        operate(() -> {
            if (files.containsKey(name)) {
                change(name, null);
            }
        });
    }

    @Override
    public void force() throws IOException {
        operate(() -> {
            durable.clear();
            durable.putAll(files);
            pending.clear();
        });
    }

    @Override
    public long usableBytes() {
        return usableBytes;
    }

    @Override
    public Path path(String name) {
        return Path.of(name);
    }

    @Override
    public void close() {
        open = false;
    }
}
