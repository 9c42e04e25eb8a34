package dev.tidestream.server.app.memory;

import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.lang.management.MemoryUsage;
import java.util.Comparator;
import java.util.Optional;

/** The old generation of this JVM: of its heap pools that a collection reports on, the one that may grow largest. */
public final class OldGeneration implements IdleHeapTrim.Heap {
    private final MemoryPoolMXBean pool;

    private OldGeneration(MemoryPoolMXBean pool) {
        this.pool = pool;
    }

    /** The old generation; empty with a collector that has none. */
    public static Optional<OldGeneration> ofThisJvm() {
        return ManagementFactory.getMemoryPoolMXBeans().stream()
                .filter(pool -> pool.getType() == MemoryType.HEAP && pool.getCollectionUsage() != null)
                .filter(pool -> pool.getName().contains("Old") || pool.getName().contains("Tenured"))
                .max(Comparator.comparingLong(pool -> pool.getUsage().getMax()))
                .map(OldGeneration::new);
    }

    @Override
    public long grownBytes() {
        MemoryUsage afterCollection = pool.getCollectionUsage();
        return pool.getUsage().getUsed() - (afterCollection == null ? 0 : afterCollection.getUsed());
    }

    @Override
    public void collect() {
        System.gc();
    }
}
