package dev.tidestream.server.cluster.route;

import java.util.Set;

/**
 * What a worker has last said of itself. Immutable; any thread.
 *
 * @param node its name, the same as long as it lives
 * @param report number of this report, another one each time it says something; the router adds what it has sent since
 * @param slots streams that it runs at once, at least 1
 * @param running streams that have a slot
 * @param waiting streams that wait for one
 * @param kvUse share of its KV memory that is lent, 0 to 1
 * @param appliedVersion the newest version of the weights that it can compute with
 * @param versionsHeld all versions that it can compute with
 * @param adapters names of the adapters that are loaded
 * @param draining whether it takes no more streams
 */
public record NodeView(
        String node,
        long report,
        int slots,
        int running,
        int waiting,
        double kvUse,
        long appliedVersion,
        Set<Long> versionsHeld,
        Set<String> adapters,
        boolean draining) {

    /** Copies; a count or share out of its range, as a node of another version might send it, is refused. */
    public NodeView {
        if (slots < 1 || running < 0 || waiting < 0 || !(kvUse >= 0 && kvUse <= 1)) {
            throw new IllegalArgumentException("a node's view is out of range: node=%s, slots=%d, running=%d, waiting=%d, kv_use=%s"
                    .formatted(node, slots, running, waiting, kvUse));
        }
        versionsHeld = Set.copyOf(versionsHeld);
        adapters = Set.copyOf(adapters);
    }

    /** Whether it can compute with that version. */
    boolean holds(long version) {
        return version == appliedVersion || versionsHeld.contains(version);
    }
}
