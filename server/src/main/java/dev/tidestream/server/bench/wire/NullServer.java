package dev.tidestream.server.bench.wire;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

import io.vertx.core.Vertx;
import org.jspecify.annotations.Nullable;

import dev.tidestream.model.tied.HeadMode;
import dev.tidestream.server.cluster.wire.WorkerFrame;
import dev.tidestream.server.cluster.worker.StreamsEndpoint;
import dev.tidestream.server.engine.EngineConfig;
import dev.tidestream.server.engine.EngineStats;
import dev.tidestream.server.engine.PromptLimits;
import dev.tidestream.server.engine.TokenEngine;
import dev.tidestream.server.epoch.CurrentEpoch;
import dev.tidestream.server.epoch.ModelEpoch;
import dev.tidestream.server.scheduler.QueueLimits;
import dev.tidestream.server.scheduler.StallLimits;
import dev.tidestream.server.scheduler.TokenObserver;
import dev.tidestream.server.transport.Readiness;
import dev.tidestream.server.transport.ServerVerticle;
import dev.tidestream.server.transport.TransportConfig;
import dev.tidestream.server.transport.endpoint.Auth;
import dev.tidestream.server.transport.http.HttpLimits;

/** Our server, engine and all, over a {@link NullModel}; on the loopback, at a free port. */
final class NullServer implements AutoCloseable {
    static final int PATIENCE_S = 60;
    static final int MESSAGE_BYTES = 1 << 20;
    private static final int PROMPT_ROWS = 128;
    private static final long KV_BYTES = 512L << 20;
    private static final long WAITING_BYTES = 256L << 20;
    private static final int PROMPT_BYTES = 1 << 10;

    private final CurrentEpoch epochs;
    private final TokenEngine engine;
    private final Vertx vertx = Vertx.vertx();
    private final ServerVerticle verticle;

    /**
     * @param streams that run at once, each on a connection of its own
     * @param tokens most of a stream
     */
    NullServer(int streams, int tokens) throws TimeoutException {
        this(streams, streams, tokens, NullModel.Pace.NONE, null);
    }

    /**
     * @param slots streams that run at once
     * @param streams that may be there at once, each on a connection of its own
     * @param tokens most of a stream
     * @param hello whom gateways meet; null: it serves none
     */
    NullServer(int slots, int streams, int tokens, NullModel.Pace pace, WorkerFrame.@Nullable Hello hello) throws TimeoutException {
        NullModel model = new NullModel(tokens + PROMPT_BYTES, slots + PROMPT_ROWS, pace);
        epochs = new CurrentEpoch(new ModelEpoch(1, HeadMode.PACKED, model, () -> { }));
        EngineConfig config = EngineConfig.DEFAULT.withMaxSequences(slots).withKvMemoryBytes(KV_BYTES).withPrefixShare(0).withLimits(
                new PromptLimits(streams, PROMPT_BYTES, WAITING_BYTES, WAITING_BYTES),
                new QueueLimits(streams, WAITING_BYTES),
                new StallLimits(streams, WAITING_BYTES, TimeUnit.MINUTES.toNanos(1)));
        engine = TokenEngine.start(config, new NullTokenizer(), epochs, TokenObserver.NONE);
        int connections = 2 * streams; // those of the round before may not have closed yet
        TransportConfig open = TransportConfig.DEFAULT.withAddress("127.0.0.1", 0).withMaxConnections(connections);
        verticle = new ServerVerticle(open.withLimits(HttpLimits.of(connections), open.sockets()), engine, () -> Readiness.READY);
        if (hello != null) {
            verticle.serving(StreamsEndpoint.wire(engine, hello, Auth.ANY_HOST, MESSAGE_BYTES, connections));
        }
        vertx.deployVerticle(verticle).await(PATIENCE_S, TimeUnit.SECONDS);
    }

    EngineStats stats() {
        return engine.stats();
    }

    int port() {
        return verticle.actualPort();
    }

    @Override
    public void close() throws TimeoutException {
        vertx.close().await(PATIENCE_S, TimeUnit.SECONDS);
        engine.close();
        epochs.close();
    }
}
