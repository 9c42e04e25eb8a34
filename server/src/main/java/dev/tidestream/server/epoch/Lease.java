package dev.tidestream.server.epoch;

import java.util.concurrent.atomic.AtomicBoolean;

/** The right to compute with an epoch: its memory stays until this is closed. Closing again does nothing. */
public final class Lease implements AutoCloseable {
    private final CountedEpoch counted;
    private final AtomicBoolean open = new AtomicBoolean(true);

    /** Takes over one reference that the caller has acquired. */
    Lease(CountedEpoch counted) {
        this.counted = counted;
    }

    /** The leased epoch. */
    public ModelEpoch epoch() {
        return counted.epoch();
    }

    CountedEpoch counted() {
        return counted;
    }

    @Override
    public void close() {
        if (open.compareAndSet(true, false)) {
            counted.release();
        }
    }
}
