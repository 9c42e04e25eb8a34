package dev.tidestream.server.transport;

import java.util.function.Consumer;

import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.AdapterRef;
import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.protocol.ServerMessage;
import dev.tidestream.server.engine.TokenEvent;
import dev.tidestream.server.transport.stream.FrameMapper;

/** The frames of {@code tidestream.v1}. */
final class TidestreamFrames implements FrameMapper {
    private final String id;
    private final @Nullable String resume;
    private final Consumer<ServerMessage> outlet;
    private @Nullable AdapterRef adapter;

    /**
     * @param id the client's name of the stream
     * @param resume what it can be resumed by; null if it ends with its connection
     */
    TidestreamFrames(String id, @Nullable String resume, Consumer<ServerMessage> outlet) {
        this.id = id;
        this.resume = resume;
        this.outlet = outlet;
    }

    @Override
    public void accepted(TokenEvent.Accepted a) {
        adapter = a.adapter();
        outlet.accept(new ServerMessage.Accepted(id, a.stream(), a.seed(), a.weightsVersion(), a.promptTokens(), resume));
    }

    @Override
    public void progress(TokenEvent.Progress p) {
        outlet.accept(new ServerMessage.Progress(id, p.prefilled(), p.of()));
    }

    @Override
    public void scored(TokenEvent.Scored scored) {
        throw new IllegalStateException("no request of this wire asks for log-probabilities of its prompt: id=" + id);
    }

    @Override
    public void token(TokenEvent.Token t) {
        outlet.accept(new ServerMessage.Token(id, t.seq(), t.token(), t.text(), t.weightsVersion(), t.logprob(), t.topLogprobs()));
    }

    @Override
    public void finished(TokenEvent.Finish f) {
        outlet.accept(new ServerMessage.Finished(id, f.reason(), f.usage(), f.timing(), adapter));
    }

    @Override
    public void failed(ErrorCode code, String message) {
        outlet.accept(new ServerMessage.Failed(id, code, message));
    }
}
