package dev.tidestream.server.adapters;

import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;

import dev.tidestream.model.adapter.Adapter;
import dev.tidestream.server.adapters.file.ReadAdapter;

/**
 * An adapter that is served under a name, and its references: one for being served, one per lease. Whoever drops the last one frees
 * it; a count of zero never rises again. Any thread.
 */
public final class ServedAdapter {
    private final String name;
    private final long number;
    private final ReadAdapter read;
    private final String path;
    private final long loadedS;
    private final Runnable freed;
    private final AtomicInteger references = new AtomicInteger(1);
    private volatile boolean serving = true; // which is one of the references

    /**
     * @param loadedS when it was loaded, in seconds since 1970
     * @param freed told once, after its memory was given back
     */
    ServedAdapter(String name, long number, ReadAdapter read, String path, long loadedS, Runnable freed) {
        this.name = name;
        this.number = number;
        this.read = read;
        this.path = path;
        this.loadedS = loadedS;
        this.freed = freed;
    }

    /** As clients write it. */
    public String name() {
        return name;
    }

    /** Another one for each adapter that was ever loaded in this process, from 1 on. */
    public long number() {
        return number;
    }

    /** Of all that it was read from: 64 lower-case hexadecimal digits. */
    public String sha256() {
        return read.sha256();
    }

    /** When it was loaded, in seconds since 1970. */
    public long loadedS() {
        return loadedS;
    }

    /** What is known of it. */
    public AdapterStatus status() {
        return new AdapterStatus(name, path, read.format(), read.sha256(), read.adapter().bytes(), read.highestRank(), read.tied(),
                Math.max(0, references.get() - (serving ? 1 : 0)), read.warnings());
    }

    Adapter adapter() {
        return read.adapter();
    }

    /** The right to compute with it, to be closed by the caller; none if it is not served any more and nobody used it. */
    public Optional<AdapterLease> lease() {
        int count = references.get();
        while (count > 0) {
            int witness = references.compareAndExchange(count, count + 1);
            if (witness == count) {
                return Optional.of(new AdapterLease(this));
            }
            count = witness;
        }
        return Optional.empty();
    }

    /** It is served no longer; once. */
    void retire() {
        serving = false;
        release();
    }

    void release() {
        if (references.decrementAndGet() == 0) {
            read.adapter().close();
            freed.run();
        }
    }
}
