package dev.tidestream.server.cluster.gateway;

import java.util.EnumSet;
import java.util.Set;

import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.server.cluster.route.Obstacle;
import dev.tidestream.server.engine.EngineException;

/** Why no worker takes a stream, in the words that its client is told. */
final class Refusal {
    private static final Set<ErrorCode> OF_ONE_NODE =
            EnumSet.of(ErrorCode.BUSY, ErrorCode.VERSION_GONE, ErrorCode.VERSION_NOT_YET, ErrorCode.UNKNOWN_ADAPTER);

    private Refusal() {}

    /** Whether another node may take what one has refused so. */
    static boolean mayDifferElsewhere(ErrorCode code) {
        return OF_ONE_NODE.contains(code);
    }

    /** Of what stands in the way. */
    static EngineException of(Obstacle obstacle, StreamMemory stream, long published) {
        return switch (obstacle) {
            case NO_NODE -> new EngineException(ErrorCode.BUSY, "no worker takes streams now");
            case DRAINING -> new EngineException(ErrorCode.BUSY, "all workers drain, none takes streams now");
            case VERSION -> stream.pinnedVersion() >= 0
                    ? new EngineException(ErrorCode.VERSION_GONE, "no worker has the weights of the stream: weights_version=%d, newest=%d"
                            .formatted(stream.pinnedVersion(), published))
                    : new EngineException(ErrorCode.VERSION_NOT_YET, "no worker has weights as new as that: min_version=%d, newest=%d"
                            .formatted(stream.leastVersion(), published));
            case ADAPTER -> new EngineException(ErrorCode.UNKNOWN_ADAPTER,
                    "no adapter of this name is served: adapter=" + stream.request().options().adapter());
        };
    }
}
