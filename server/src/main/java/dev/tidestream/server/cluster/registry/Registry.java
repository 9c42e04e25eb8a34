package dev.tidestream.server.cluster.registry;

import java.util.List;
import java.util.function.Consumer;

/** The nodes of a cluster, as far as this one knows. Any thread. */
public interface Registry extends AutoCloseable {
    /** What all nodes have last said of themselves, this one included; those that have said nothing for too long are not there. */
    List<NodeState> nodes();

    /** Looks now, and waits for the answer; not on an event loop. */
    List<NodeState> look();

    /** Has somebody told of all nodes every while, on a thread that must not be kept. */
    void onBeat(Consumer<List<NodeState>> listener);

    /** Says at once what this node has to say, rather than with the next beat. */
    void beatNow();

    /** Takes this node's entry out, and leaves. */
    @Override
    void close();
}
