package dev.tidestream.server.cluster.gateway;

import java.util.List;
import java.util.Optional;

import dev.tidestream.server.cluster.route.NodeView;

/** The workers that there are. Any thread. */
public interface Fleet {
    /** What those that can be reached have last said of themselves. */
    List<NodeView> nodes();

    /** The one of a node; empty if it cannot be reached any more. */
    Optional<Worker> worker(String node);

    /** The version of the weights that new streams begin with at least. */
    long publishedVersion();
}
