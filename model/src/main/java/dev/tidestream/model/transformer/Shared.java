package dev.tidestream.model.transformer;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * Something with memory of its own that several versions of a model use: whoever lets go last frees it. Any thread.
 *
 * @param <T> what is shared
 */
final class Shared<T> {
    private final T value;
    private final Runnable free;
    private final AtomicInteger users = new AtomicInteger(1);

    /** Owned by the caller, who is the first user. */
    Shared(T value, Runnable free) {
        this.value = value;
        this.free = free;
    }

    T value() {
        return value;
    }

    /** One user more; only for one who knows that there is another now. */
    Shared<T> retain() {
        if (users.getAndIncrement() < 1) {
            throw new IllegalStateException("freed already: " + value);
        }
        return this;
    }

    /** One user less. */
    void release() {
        int left = users.decrementAndGet();
        if (left == 0) {
            free.run();
        } else if (left < 0) {
            throw new IllegalStateException("released too often: " + value);
        }
    }

    /** Whether there is one user only. */
    boolean sole() {
        return users.get() == 1;
    }
}
