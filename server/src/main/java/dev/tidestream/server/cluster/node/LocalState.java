package dev.tidestream.server.cluster.node;

import java.util.Set;

import dev.tidestream.server.cluster.registry.NodeState;

/** What the engine of this process has to say; of a node without one, what its roles leave. Any thread, must not wait. */
public interface LocalState extends AutoCloseable {
    /** What it does now; {@code relayed} is the node's own business. */
    NodeState.Load load();

    /** Versions of the weights. */
    NodeState.Weights weights();

    /** Names of the adapters that are loaded. */
    Set<String> adapters();

    /** Whether it can make tokens: it has not failed. */
    boolean sound();

    /** Streams on other nodes need these versions; told every while. */
    void needed(Set<Long> versions);

    /** Keeps nothing for others any more. */
    @Override
    void close();
}
