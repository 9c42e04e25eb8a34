package dev.tidestream.server.transport;

import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.ClientMessage;
import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.server.engine.Engine;
import dev.tidestream.server.engine.EngineException;
import dev.tidestream.server.engine.GenerateRequest;
import dev.tidestream.server.engine.Generation;
import dev.tidestream.server.engine.RequestOptions;
import dev.tidestream.server.keys.KeyAccount;
import dev.tidestream.server.keys.StreamLease;
import dev.tidestream.server.receipts.ReceiptIssuer;
import dev.tidestream.server.resume.ResumableStreams;

/**
 * Where the streams of a WebSocket come from.
 *
 * @param engine whose streams with a receipt wait until there can be one
 * @param resumable the streams that outlive their connections; null if none does
 * @param receipts signs receipts; null if there are none
 */
record StreamSources(Engine engine, @Nullable ResumableStreams resumable, @Nullable ReceiptIssuer receipts) {

    /**
     * A stream that has not begun.
     *
     * @param handle what it can be resumed by; null if it ends with its connection
     */
    record Opening(@Nullable String handle, Generation generation, StreamLease lease) {}

    /**
     * A stream for a message.
     *
     * @param connection that it came on
     * @param remote address of the client
     * @throws EngineException if it asks for what there is not
     */
    Opening open(ClientMessage.Generate m, KeyAccount account, Object connection, String remote, StreamLease lease) {
        Object sharer = account.owner().at(remote);
        if (m.options().receipt() && receipts == null) {
            throw new EngineException(ErrorCode.INVALID_VALUE, "receipt: this server issues none");
        }
        if (m.options().resumable()) {
            if (resumable == null) {
                throw new EngineException(ErrorCode.INVALID_VALUE, "resumable: no stream outlives its connection on this server");
            }
            ResumableStreams.Opened opened = resumable.open(m, account.owner().name(), connection, sharer);
            return new Opening(opened.handle(), opened.generation(), opened.tab().begin(lease));
        }
        GenerateRequest request = new GenerateRequest(m.prompt(), m.messages(), m.parseSpecial(), m.tokens(), m.maxTokens(), m.sampling(),
                m.stop(), m.topLogprobs(), -1, m.weights(), connection);
        return new Opening(null, engine.generate(request.of(sharer).with(RequestOptions.of(m)).beginningWith(m.options().wish())), lease);
    }
}
