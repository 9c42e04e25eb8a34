package dev.tidestream.server.adapters;

import java.util.concurrent.atomic.AtomicBoolean;

import dev.tidestream.model.adapter.Adapter;

/** The right to compute with an adapter: its memory stays until this is closed. Closing again does nothing. */
public final class AdapterLease implements AutoCloseable {
    private final ServedAdapter served;
    private final AtomicBoolean open = new AtomicBoolean(true);

    /** Takes over one reference that the caller has acquired. */
    AdapterLease(ServedAdapter served) {
        this.served = served;
    }

    /** The leased adapter's weights. */
    public Adapter adapter() {
        return served.adapter();
    }

    /** The leased adapter. */
    public ServedAdapter served() {
        return served;
    }

    @Override
    public void close() {
        if (open.compareAndSet(true, false)) {
            served.release();
        }
    }
}
