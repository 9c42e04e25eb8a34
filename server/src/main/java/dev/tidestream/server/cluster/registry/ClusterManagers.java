package dev.tidestream.server.cluster.registry;

import java.util.List;

import io.vertx.core.spi.cluster.ClusterManager;

/**
 * Makes the cluster manager that the registry stands on. Another one is a class like {@link HazelcastManagers}: all that is asked of it is
 * a map of the cluster whose entries end.
 */
public interface ClusterManagers {
    /**
     * A manager that has not joined.
     *
     * @param membership who is looked for, and where this node is found
     */
    ClusterManager make(Membership membership);

    /**
     * Who takes part.
     *
     * @param name nodes of other names are not let in
     * @param host where this node listens
     * @param port the same; 0: one that is free
     * @param peers {@code host:port} of nodes that may be there
     */
    record Membership(String name, String host, int port, List<String> peers) {
        public Membership {
            peers = List.copyOf(peers);
        }
    }
}
