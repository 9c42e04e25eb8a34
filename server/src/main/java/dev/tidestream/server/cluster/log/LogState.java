package dev.tidestream.server.cluster.log;

import java.util.List;
import java.util.Optional;

/**
 * What is seen of the log from a node, at one moment.
 *
 * @param nodeId of the node that looks
 * @param leader who leads, if the node knows one
 * @param term that it knows of
 * @param keepers voting members, by id
 * @param lastIndex of the entry that was applied last; entries of the log's own count
 * @param committedVersion newest version of the weights
 * @param publishedVersion for new streams
 * @param digest SHA-256 over all that was accepted, in order: equal on all keepers at the same {@code lastIndex}
 */
public record LogState(
        String nodeId, Optional<String> leader, long term, List<Keeper> keepers, long lastIndex, long committedVersion,
        long publishedVersion, String digest) {

    public LogState {
        keepers = List.copyOf(keepers);
    }

    /** Whether the node itself leads. */
    public boolean leads() {
        return leader.equals(Optional.of(nodeId));
    }
}
