package dev.tidestream.server.cluster.route;

import java.util.Collection;
import java.util.Optional;

import org.jspecify.annotations.Nullable;

/** Why a node cannot take a stream, or why none of many can: then it is what the last of these filters left nobody for. */
public enum Obstacle {
    /** There is no node. */
    NO_NODE,
    /** Those that there are leave. */
    DRAINING,
    /** Those that stay have not the version of the weights. */
    VERSION,
    /** Those that have it have not the adapter. */
    ADAPTER;

    /** What keeps a stream from a node; null if nothing does. */
    static @Nullable Obstacle of(RouteRequest request, NodeView node) {
        if (node.draining()) {
            return DRAINING;
        }
        boolean version = request.pinnedVersion().isPresent()
                ? node.holds(request.pinnedVersion().getAsLong())
                : node.appliedVersion() >= request.leastVersion();
        if (!version) {
            return VERSION;
        }
        return request.adapter() == null || node.adapters().contains(request.adapter()) ? null : ADAPTER;
    }

    /** What keeps a stream from all of them; empty if some node can take it. Any thread. */
    public static Optional<Obstacle> of(RouteRequest request, Collection<NodeView> nodes) {
        Obstacle last = NO_NODE;
        for (NodeView node : nodes) {
            Obstacle obstacle = of(request, node);
            if (obstacle == null) {
                return Optional.empty();
            }
            last = obstacle.compareTo(last) > 0 ? obstacle : last;
        }
        return Optional.of(last);
    }
}
