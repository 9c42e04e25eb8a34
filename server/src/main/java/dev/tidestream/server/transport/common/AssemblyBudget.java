package dev.tidestream.server.transport.common;

import java.util.LinkedHashSet;
import java.util.Set;

/**
 * How many bytes of unfinished messages, and of bodies that nobody has read yet, all connections of a server may hold together. When
 * there is no room for more, the connection that holds most loses its message, be it the one that asks or another: who sends little is never harmed by those who
 * send much and do not come to an end. Event loop, but for {@link #heldBytes}.
 */
public final class AssemblyBudget {

    /** Somebody who holds bytes. */
    public interface Holder {
        /** Bytes of this one. */
        int heldBytes();

        /** Lets go of everything, and tells its client. */
        void giveUp();
    }

    private final long limitBytes;
    private final Set<Holder> holders = new LinkedHashSet<>(); // so that of equals the one that began first gives up
    private volatile long heldBytes;

    /** @param limitBytes of all together */
    public AssemblyBudget(long limitBytes) {
        if (limitBytes < 1) {
            throw new IllegalArgumentException("limitBytes must be at least 1: " + limitBytes);
        }
        this.limitBytes = limitBytes;
    }

    /** What all connections hold now. Any thread. */
    public long heldBytes() {
        return heldBytes;
    }

    /** What all connections may hold. */
    public long limitBytes() {
        return limitBytes;
    }

    /** Whether there is room for more bytes of this one; if so, they are its own. Others may have lost theirs for it. */
    public boolean reserve(Holder asking, int moreBytes) {
        while (heldBytes + moreBytes > limitBytes) {
            Holder largest = asking;
            long most = (long) asking.heldBytes() + moreBytes;
            for (Holder holder : holders) {
                if (holder != asking && holder.heldBytes() > most) {
                    largest = holder;
                    most = holder.heldBytes();
                }
            }
            if (largest == asking) {
                return false;
            }
            largest.giveUp();
        }
        add(moreBytes);
        holders.add(asking);
        return true;
    }

    /** What this one holds has come to its end, and is kept until it is read: it cannot be lost any more; {@link #free} gives it back. */
    public void keep(Holder holder) {
        holders.remove(holder);
    }

    /** So many bytes that were kept are not held any more. */
    public void free(int bytes) {
        add(-bytes);
    }

    /** This one holds nothing any more; before that so many bytes. */
    public void release(Holder holder, int bytes) {
        if (holders.remove(holder)) {
            add(-bytes);
        }
    }

    @SuppressWarnings("NonAtomicVolatileUpdate") // one thread writes
    private void add(int bytes) {
        heldBytes += bytes;
    }
}
