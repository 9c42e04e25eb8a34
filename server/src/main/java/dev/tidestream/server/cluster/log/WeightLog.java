package dev.tidestream.server.cluster.log;

import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;

/**
 * The order of weight versions that all nodes of a cluster agree on. What is committed here survives the loss of a minority of the
 * keepers; nothing else counts as an update that was made.
 *
 * <p>Any thread may call; nothing here waits. Stages that fail do so with a {@link LogRefusedException}, which has the code that the
 * client is told.
 */
public interface WeightLog extends AutoCloseable {

    /**
     * Asks for the next version. First the blobs of its parts, which are in this node's store, are copied to a majority of the keepers;
     * then the manifest is committed. The same update under the same name gets the same answer again, however often it is sent.
     *
     * @return the version, once it is committed; fails with {@code stale_base_version}, {@code update_conflict},
     *     {@code unknown_version}, {@code invalid_value}, and with {@code no_quorum} if no majority answers in time: then it may be
     *     committed later, and sending it again tells
     */
    CompletionStage<Committed> propose(Manifest manifest);

    /** The newest version that this node knows to be committed; {@link Manifest#BASE_VERSION} before the first. */
    long committedVersion();

    /** The version that is current for new streams, as far as this node knows. */
    long publishedVersion();

    /**
     * Makes a version the one for new streams, in the whole cluster. An older one than is published changes nothing.
     *
     * @return what is published afterwards; fails with {@code unknown_version}, {@code no_quorum}
     */
    CompletionStage<Long> publish(long version);

    /**
     * Has somebody told of all versions from the first one on, in order, and of what is published. One thread of its own calls, and may be
     * made to wait.
     *
     * @return ends it
     */
    default Following follow(Consumer<LogEntry> follower) {
        return follow(Manifest.BASE_VERSION, follower);
    }

    /**
     * The same from a version on.
     *
     * @param afterVersion the newest version that the follower has
     */
    Following follow(long afterVersion, Consumer<LogEntry> follower);

    /** Adds a keeper that is started with {@link KeeperConfig#join} and waits for it; completes when it has caught up. */
    CompletionStage<LogState> addKeeper(Keeper keeper);

    /** Takes a keeper out; the others need a majority without it. Fails with {@code invalid_value} if it is none. */
    CompletionStage<LogState> removeKeeper(String nodeId);

    /** What is seen of the log from this node. */
    LogState state();

    /** Leaves the cluster's log as it is, and ends what this node has to do with it. */
    @Override
    void close();

    /** A follower that is told. */
    interface Following extends AutoCloseable {
        /** Ends it, and waits for a call that is under way, unless it is that call which ends it. */
        @Override
        void close();
    }
}
