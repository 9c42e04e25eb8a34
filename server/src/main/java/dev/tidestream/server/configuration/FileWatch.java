package dev.tidestream.server.configuration;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks every while whether files have changed, by size, times and identity, links followed: what an editor, {@code cp} or a
 * mounted secret does. Tells of a change when two looks have found the same, so that files that are being written, or several
 * that belong together, are not read too early. All of it happens on one thread of its own.
 */
public final class FileWatch implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(FileWatch.class);

    private final List<Watched> all = new ArrayList<>(); // guarded by itself
    private final ScheduledExecutorService thread;

    /** @param interval between looks */
    @SuppressWarnings("FutureReturnValueIgnored") // it ends with its thread, and a look throws nothing
    public FileWatch(Duration interval) {
        thread = Executors.newSingleThreadScheduledExecutor(Thread.ofPlatform().name("tidestream-files").daemon().factory());
        thread.scheduleWithFixedDelay(this::look, interval.toNanos(), interval.toNanos(), TimeUnit.NANOSECONDS);
    }

    /** One that looks only when it is told to, on the thread that tells it. */
    FileWatch() {
        thread = Executors.newSingleThreadScheduledExecutor(Thread.ofPlatform().daemon().factory());
    }

    /** From now on, one of the files having changed, calls back; one that is not there is as good as any other. */
    public void watch(List<Path> files, Runnable changed) {
        synchronized (all) {
            all.add(new Watched(List.copyOf(files), changed));
        }
    }

    /** Calls all back, whether anything has changed or not. Any thread; returns at once. */
    public void reloadAll() {
        thread.execute(() -> watched().forEach(Watched::reload));
    }

    void look() {
        watched().forEach(Watched::look);
    }

    private List<Watched> watched() {
        synchronized (all) {
            return List.copyOf(all);
        }
    }

    /** What was being done is finished. */
    @Override
    public void close() {
        thread.close();
    }

    private static String stamp(Path file) {
        try {
            BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
            // the time of a change of whatever kind, which nobody can set
            Object changed = file.getFileSystem().supportedFileAttributeViews().contains("unix") ? Files.getAttribute(file, "unix:ctime") : "";
            return attributes.size() + " " + attributes.lastModifiedTime() + " " + attributes.fileKey() + " " + changed;
        } catch (IOException e) {
            return "cannot be read: " + e.getClass().getName();
        }
    }

    private static final class Watched {
        private final List<Path> files;
        private final Runnable changed;
        private List<String> told;
        private List<String> seen;

        Watched(List<Path> files, Runnable changed) {
            this.files = files;
            this.changed = changed;
            this.told = stamps();
            this.seen = told;
        }

        private List<String> stamps() {
            return files.stream().map(FileWatch::stamp).toList();
        }

        void look() {
            List<String> now = stamps();
            boolean settled = now.equals(seen);
            seen = now;
            if (settled && !now.equals(told)) {
                reload();
            }
        }

        void reload() {
            told = stamps();
            seen = told;
            try {
                changed.run();
            } catch (RuntimeException e) { // the next change is looked at all the same
                log.error("a change of files could not be taken: files={}", files, e);
            }
        }
    }
}
