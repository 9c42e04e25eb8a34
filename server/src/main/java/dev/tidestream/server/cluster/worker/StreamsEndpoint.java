package dev.tidestream.server.cluster.worker;

import java.util.concurrent.Executor;
import java.util.function.Function;

import dev.tidestream.server.cluster.wire.ClusterCodec;
import dev.tidestream.server.cluster.wire.ClusterProtocol;
import dev.tidestream.server.cluster.wire.WorkerFrame;
import dev.tidestream.server.engine.Engine;
import dev.tidestream.server.transport.endpoint.Auth;
import dev.tidestream.server.transport.peer.PeerWire;

/** Where gateways ask a worker for streams of its engine. */
public final class StreamsEndpoint {
    /** Gateways that may be connected at once. */
    private static final int MAX_GATEWAYS = 64;

    private StreamsEndpoint() {}

    /**
     * The wire of a worker.
     *
     * @param engine whose streams are relayed; answers on any thread
     * @param hello who this is
     * @param auth lets in who knows the secret of the cluster
     * @param maxMessageBytes largest message of a gateway
     * @param maxStreams most streams of one gateway
     */
    public static PeerWire wire(Engine engine, WorkerFrame.Hello hello, Auth auth, int maxMessageBytes, int maxStreams) {
        Function<Object, String> noRequests = name -> {
            throw new IllegalStateException("a worker asks for nothing: " + name);
        };
        ClusterCodec codec = new ClusterCodec(maxMessageBytes, noRequests);
        return new PeerWire(ClusterProtocol.PATH, ClusterProtocol.SUBPROTOCOL, auth, MAX_GATEWAYS, maxMessageBytes, (connection, loop) -> {
            Executor eventLoop = task -> loop.context().runOnContext(v -> task.run());
            return new StreamsSession(connection, eventLoop, engine, codec, hello, maxStreams);
        });
    }
}
