package dev.tidestream.server.transport;

import java.util.Map;

import dev.tidestream.server.transport.common.Refusal;

/**
 * What the transport holds and has refused, read at one moment.
 *
 * @param streamConnections WebSockets of clients
 * @param adminConnections WebSockets of administrators
 * @param pendingRequests connections whose HTTP request has not come to its end
 * @param idleConnections connections that are kept alive without a request
 * @param assemblyBytes held of messages that have not come to their end, on all connections
 * @param assemblyLimitBytes what may be held of them
 * @param inputPauses how often a connection that sent too fast was not read from for a while, since the start
 * @param refusals since the start, all reasons
 */
public record TransportStats(
        int streamConnections,
        int adminConnections,
        int pendingRequests,
        int idleConnections,
        long assemblyBytes,
        long assemblyLimitBytes,
        long inputPauses,
        Map<Refusal, Long> refusals) {
    public TransportStats {
        refusals = Map.copyOf(refusals);
    }

    /** How often something was refused for this reason. */
    public long refused(Refusal reason) {
        return refusals.getOrDefault(reason, 0L);
    }
}
