package dev.tidestream.server.bench.cluster;

import java.util.List;
import java.util.SplittableRandom;

import dev.tidestream.server.cluster.route.NodeView;
import dev.tidestream.server.cluster.route.RouteWeights;

/** How a node is chosen: what the gateway does, and what it is compared with. */
public enum Policy {
    /** Prefixes and load, within a bound of load. */
    BLENDED,
    /** The least load of all, whatever it has computed. */
    LEAST_LOAD,
    /** The longest prefix, whatever the load. */
    PREFIX_ONLY,
    /** The lesser load of two nodes at random. */
    POWER_OF_TWO,
    /** One after the other. */
    ROUND_ROBIN;

    private static final double NO_BOUND = 1e6;

    /** What of the router's costs counts. */
    RouteWeights weights(RouteWeights blended) {
        return switch (this) {
            case BLENDED -> blended;
            case PREFIX_ONLY -> blended.withCosts(blended.uncachedBlock(), 0, 0, 0).withBalance(NO_BOUND, Integer.MAX_VALUE);
            case LEAST_LOAD, POWER_OF_TWO, ROUND_ROBIN ->
                    blended.withCosts(0, blended.running(), blended.waiting(), blended.kvUse());
        };
    }

    /**
     * Of which nodes the router chooses.
     *
     * @param nodes all of them, at least one
     * @param turn of the gateway, rises by one
     */
    List<NodeView> among(List<NodeView> nodes, long turn, SplittableRandom random) {
        return switch (this) {
            case BLENDED, PREFIX_ONLY, LEAST_LOAD -> nodes;
            case ROUND_ROBIN -> List.of(nodes.get((int) (turn % nodes.size())));
            case POWER_OF_TWO -> {
                int one = random.nextInt(nodes.size());
                int other = (one + 1 + random.nextInt(Math.max(1, nodes.size() - 1))) % nodes.size();
                yield one == other ? List.of(nodes.get(one)) : List.of(nodes.get(one), nodes.get(other));
            }
        };
    }
}
