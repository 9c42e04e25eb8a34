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
    private static final Long BUSY_RETRY_MS = 1000L; // as over HTTP; nobody knows when there is room

    private final String id;
    private final @Nullable String resume;
    private final Receipts receipts;
    private final Consumer<ServerMessage> outlet;
    private @Nullable AdapterRef adapter;

    /** Signs what is said of a stream at its end. */
    interface Receipts {
        /** Null for one that asked for no receipt. */
        @Nullable String of(TokenEvent.Finish finish);
    }

    /**
     * @param id the client's name of the stream
     * @param resume what it can be resumed by; null if it ends with its connection
     * @param receipts asked at its end
     */
    TidestreamFrames(String id, @Nullable String resume, Receipts receipts, Consumer<ServerMessage> outlet) {
        this.id = id;
        this.resume = resume;
        this.receipts = receipts;
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
        outlet.accept(new ServerMessage.Finished(id, f.reason(), f.usage(), f.timing(), receipts.of(f), adapter));
    }

    @Override
    public void failed(ErrorCode code, String message) {
        outlet.accept(failed(id, code, message));
    }

    /** With a time to try again, where trying again is of use. */
    static ServerMessage.Failed failed(@Nullable String id, ErrorCode code, String message) {
        return new ServerMessage.Failed(id, code, message, code == ErrorCode.BUSY ? BUSY_RETRY_MS : null);
    }
}
