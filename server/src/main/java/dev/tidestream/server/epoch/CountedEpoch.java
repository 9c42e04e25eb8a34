package dev.tidestream.server.epoch;

import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** An epoch and its references: one for being current, one per lease. Zero is final. */
final class CountedEpoch {
    private static final Logger log = LoggerFactory.getLogger(CountedEpoch.class);

    private final ModelEpoch epoch;
    private final LiveEpochs liveEpochs;
    private final Executor reclaimer;
    private final AtomicInteger references = new AtomicInteger(1);

    CountedEpoch(ModelEpoch epoch, LiveEpochs liveEpochs, Executor reclaimer) {
        this.reclaimer = reclaimer;
        this.epoch = epoch;
        this.liveEpochs = liveEpochs;
        liveEpochs.add(this);
    }

    ModelEpoch epoch() {
        return epoch;
    }

    /** One more reference; false if the epoch has been freed. */
    boolean acquire() {
        int count = references.get();
        while (count > 0) {
            int witness = references.compareAndExchange(count, count + 1);
            if (witness == count) {
                return true;
            }
            count = witness;
        }
        return false;
    }

    /** References at this moment; 0 if the epoch has been freed. */
    int references() {
        return references.get();
    }

    void release() {
        if (references.decrementAndGet() == 0) {
            reclaimer.execute(this::free);
        }
    }

    private void free() {
        try {
            epoch.memory().free();
        } catch (RuntimeException e) {
            log.error("epoch could not be freed: weights_version={}", epoch.weightsVersion(), e);
        } finally {
            liveEpochs.remove(this);
        }
    }
}
