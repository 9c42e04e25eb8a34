package dev.tidestream.server.openai.lanes;

import dev.tidestream.server.keys.KeyAccount;
import dev.tidestream.server.openai.Backend;
import dev.tidestream.server.openai.ChatPlanner;
import dev.tidestream.server.openai.responses.ResponseStore;
import dev.tidestream.server.openai.wire.RequestReader;
import dev.tidestream.server.openai.wire.TokenTexts;
import dev.tidestream.server.tracing.RequestTrace;
import dev.tidestream.server.transport.common.RefusedRequests;
import dev.tidestream.server.transport.endpoint.EndpointFactory;
import dev.tidestream.server.transport.endpoint.Session;
import dev.tidestream.server.transport.websocket.Connection;

/** Makes the sessions of connections with lanes, for one event loop. */
public final class ResponseLanes {
    /** The path, which POST has for responses over HTTP. */
    public static final String PATH = "/v1/responses";
    /** The name of it for clients that must offer one. */
    public static final String SUBPROTOCOL = "tidestream.responses";

    private final Backend backend;
    private final ResponseStore store;
    private final LaneLimits limits;
    private final LaneBudget budget;

    /** @param store of responses that outlive their connection */
    public ResponseLanes(Backend backend, ResponseStore store, LaneLimits limits) {
        this.backend = backend;
        this.store = store;
        this.limits = limits;
        this.budget = new LaneBudget(limits.maxBytes(), limits.maxBytesPerConnection());
    }

    /**
     * The session of a new connection.
     *
     * @param account of whoever has opened it
     * @param trace where its handshake belongs in its caller's trace
     */
    public Session session(Connection connection, EndpointFactory.Loop loop, KeyAccount account, RefusedRequests refused,
            RequestTrace trace) {
        RequestReader reader = new RequestReader(loop.maxBodyBytes(), loop.streams().maxTokens(), loop.streams().maxStreams());
        LaneBackend made = new LaneBackend(backend, store, new ChatPlanner(backend), reader, new TokenTexts(backend.tokenizer()));
        return new LaneSession(connection, loop, made, limits, budget.share(), account, refused, trace);
    }
}
