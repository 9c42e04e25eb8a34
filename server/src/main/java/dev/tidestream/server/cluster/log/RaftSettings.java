package dev.tidestream.server.cluster.log;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;

import org.apache.ratis.client.RaftClientConfigKeys;
import org.apache.ratis.conf.RaftProperties;
import org.apache.ratis.grpc.GrpcConfigKeys;
import org.apache.ratis.protocol.RaftGroup;
import org.apache.ratis.protocol.RaftGroupId;
import org.apache.ratis.protocol.RaftPeer;
import org.apache.ratis.server.RaftServerConfigKeys;
import org.apache.ratis.util.SizeInBytes;
import org.apache.ratis.util.TimeDuration;

/** What Ratis is told; what it leaves off or unbounded by default is on and bounded here. */
final class RaftSettings {
    private static final RaftGroupId GROUP =
            RaftGroupId.valueOf(UUID.nameUUIDFromBytes("tidestream.weights".getBytes(StandardCharsets.UTF_8)));
    private static final int SEGMENT_ENTRIES = 64;
    private static final int SNAPSHOTS_KEPT = 2;
    private static final int CACHED_SEGMENTS = 2;
    private static final long MIN_SEGMENT_BYTES = 64 << 10;
    private static final long MIN_WRITE_BYTES = 4 << 20;

    private static final Logger GRPC = Logger.getLogger("org.apache.ratis.thirdparty"); // held, since a level goes with its logger

    static {
        GRPC.setLevel(Level.WARNING); // it does not use our log, and says what the system has
    }

    private RaftSettings() {}

    /** The one group that there is. */
    static RaftGroupId group() {
        return GROUP;
    }

    /** The group with members; none for who is to be added. */
    static RaftGroup group(Collection<Keeper> keepers) {
        return RaftGroup.valueOf(GROUP, keepers.stream().map(RaftSettings::peer).toList());
    }

    /** The address for HTTP travels as that of data streams, which are not used. */
    static RaftPeer peer(Keeper keeper) {
        return RaftPeer.newBuilder().setId(keeper.id()).setAddress(keeper.logAddress()).setDataStreamAddress(keeper.httpAddress()).build();
    }

    /** As a member of a configuration says it. */
    static Keeper keeper(RaftPeer peer) {
        return Keeper.parse("%s=%s/%s".formatted(
                peer.getId(), peer.getAddress(), peer.getDataStreamAddress().substring(peer.getDataStreamAddress().lastIndexOf(':') + 1)));
    }

    static RaftProperties of(KeeperConfig config, Keeper self) {
        RaftProperties p = new RaftProperties();
        RaftServerConfigKeys.setStorageDir(p, List.of(config.directory().resolve("log").toFile()));
        GrpcConfigKeys.Server.setHost(p, self.host());
        GrpcConfigKeys.Server.setPort(p, self.logPort());
        GrpcConfigKeys.setMessageSizeMax(p, SizeInBytes.valueOf(16L * config.limits().maxManifestBytes() + (4 << 20)));
        log(p, config.limits());
        times(p, config.timing());
        RaftServerConfigKeys.Write.setElementLimit(p, config.limits().maxPending() * SEGMENT_ENTRIES);
        RaftServerConfigKeys.Write.setByteLimit(p, // counted in whole MiB
                SizeInBytes.valueOf(MIN_WRITE_BYTES + (long) SEGMENT_ENTRIES * config.limits().maxManifestBytes()));
        return p;
    }

    private static void log(RaftProperties p, KeeperConfig.Limits limits) {
        long segment = Math.max(MIN_SEGMENT_BYTES, (long) SEGMENT_ENTRIES * limits.maxManifestBytes());
        RaftServerConfigKeys.Log.setSegmentSizeMax(p, SizeInBytes.valueOf(segment));
        RaftServerConfigKeys.Log.setPreallocatedSize(p, SizeInBytes.valueOf(MIN_SEGMENT_BYTES));
        RaftServerConfigKeys.Log.setWriteBufferSize(p, SizeInBytes.valueOf(segment));
        RaftServerConfigKeys.Log.setSegmentCacheNumMax(p, CACHED_SEGMENTS);
        RaftServerConfigKeys.Log.setPurgeUptoSnapshotIndex(p, true);
        RaftServerConfigKeys.Log.setPurgeGap(p, 1);
        RaftServerConfigKeys.Log.Appender.setBufferByteLimit(p, SizeInBytes.valueOf(segment / 2));
        RaftServerConfigKeys.Snapshot.setAutoTriggerEnabled(p, true);
        RaftServerConfigKeys.Snapshot.setAutoTriggerThreshold(p, limits.snapshotEntries());
        RaftServerConfigKeys.Snapshot.setCreationGap(p, 1);
        RaftServerConfigKeys.Snapshot.setRetentionFileNum(p, SNAPSHOTS_KEPT);
    }

    private static void times(RaftProperties p, KeeperConfig.Timing timing) {
        RaftServerConfigKeys.Rpc.setTimeoutMin(p, time(timing.election()));
        RaftServerConfigKeys.Rpc.setTimeoutMax(p, time(timing.election().multipliedBy(2)));
        RaftServerConfigKeys.Rpc.setRequestTimeout(p, time(timing.election().multipliedBy(2)));
        RaftServerConfigKeys.Rpc.setSlownessTimeout(p, time(timing.proposal().multipliedBy(2)));
        RaftServerConfigKeys.RetryCache.setExpiryTime(p, time(timing.proposal().multipliedBy(2)));
        RaftServerConfigKeys.setStagingTimeout(p, time(timing.proposal()));
        RaftClientConfigKeys.Rpc.setRequestTimeout(p, time(timing.election().multipliedBy(2)));
    }

    static TimeDuration time(Duration duration) {
        return TimeDuration.valueOf(duration.toMillis(), TimeUnit.MILLISECONDS);
    }
}
