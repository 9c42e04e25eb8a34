package dev.tidestream.server.openai.responses;

import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.AdapterRef;
import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.protocol.Usage;
import dev.tidestream.server.engine.TokenEvent;
import dev.tidestream.server.openai.Answers;
import dev.tidestream.server.openai.Backend;
import dev.tidestream.server.openai.responses.LiveResponse.Status;
import dev.tidestream.server.openai.wire.JsonBytes;
import dev.tidestream.server.openai.wire.LogprobList;
import dev.tidestream.server.openai.wire.TokenTexts;
import dev.tidestream.server.transport.http.HttpError;
import dev.tidestream.server.transport.stream.FrameMapper;

/** Makes a response of the events of its stream, whatever wire it goes over, and hands it to who keeps it. Event loop. */
public final class ResponseGrowth implements FrameMapper {
    private static final long MAX_BYTES = 4 << 20; // of which text takes two each character
    private static final int BAD_REQUEST = 400;

    /** Who tells the client. */
    public interface Listener {
        /** There are more events of it. */
        void grown();

        /** Its stream has come to its end; the response is to be {@linkplain ResponseGrowth#end ended} so. */
        void finished(Status status, Usage usage);

        /** Its stream was refused or has failed, or it cannot grow any more. */
        void failed(HttpError error);
    }

    private final LiveResponse response;
    private final ResponseStore store;
    private final Backend backend;
    private final Listener listener;
    private final boolean withLogprobs;
    private final LogprobList logprobs; // not told yet
    private final JsonBytes entries = new JsonBytes();
    private boolean accepted;
    private long version;
    private int seq;
    private int token;
    private @Nullable String receipt; // at its end

    /** @param withLogprobs whether log-probabilities of tokens are told */
    public ResponseGrowth(LiveResponse response, ResponseStore store, Backend backend, TokenTexts texts, boolean withLogprobs,
            Listener listener) {
        this.response = response;
        this.store = store;
        this.backend = backend;
        this.listener = listener;
        this.withLogprobs = withLogprobs;
        this.logprobs = LogprobList.ofResponses(texts);
    }

    /** Whether the engine has taken it, so that there is something to tell. */
    public boolean accepted() {
        return accepted;
    }

    @Override
    public void accepted(TokenEvent.Accepted a) {
        begin(a.weightsVersion(), a.headMode(), a.seed(), a.adapter());
    }

    /** The same for a warm-up that the engine has nothing to do for. */
    public void prepared(long weightsVersion, String headMode) {
        begin(weightsVersion, headMode, 0, null);
    }

    private void begin(long weightsVersion, String headMode, long seed, @Nullable AdapterRef adapter) {
        accepted = true;
        version = weightsVersion;
        response.begun(new LiveResponse.Begin(version, seed, backend.fingerprints().of(version, headMode, adapter)));
        if (response.origin().store()) {
            store.begin(response);
        }
        listener.grown();
    }

    @Override
    public void progress(TokenEvent.Progress progress) {}

    @Override
    public void scored(TokenEvent.Scored scored) {}

    @Override
    public void token(TokenEvent.Token t) {
        version = t.weightsVersion();
        seq = t.seq();
        token = t.token();
        if (withLogprobs) {
            logprobs.add(t.token(), t.logprob(), t.topLogprobs(), 0);
        }
        if (!t.text().isEmpty()) {
            delta(t.text());
        }
        if (response.bytes() + logprobs.size() > MAX_BYTES) {
            listener.failed(HttpError.of(BAD_REQUEST, "answer_too_large",
                    "the response is too large to be kept: bytes=%d, limit=%d".formatted(response.bytes() + logprobs.size(), MAX_BYTES)));
        }
    }

    private void delta(String text) {
        String told = "";
        if (!logprobs.isEmpty()) {
            logprobs.writeTo(entries.clear());
            logprobs.clear();
            String list = entries.toText();
            told = list.substring(1, list.length() - 1);
        }
        response.add(new LiveResponse.Delta(text, told, version, seq, token));
        listener.grown();
    }

    @Override
    public void finished(TokenEvent.Finish f) {
        if (!logprobs.isEmpty()) {
            delta(""); // of tokens that made no text
        }
        receipt = backend.receipt(f, response.origin().owner());
        listener.finished(response.origin().warmUp() ? Status.COMPLETED : switch (f.reason()) {
            case STOP -> Status.COMPLETED;
            case LENGTH -> Status.INCOMPLETE;
            case CANCELLED -> Status.CANCELLED;
        }, f.usage());
    }

    @Override
    public void failed(ErrorCode code, String message) {
        listener.failed(Answers.error(code, message));
    }

    /** Ends the response, once, and has it kept if it is to be; the last events are there when this returns. */
    public void end(Status status, @Nullable Usage usage, @Nullable HttpError error) {
        response.end(status, usage, error, receipt);
        if (accepted && response.origin().store()) {
            store.end(response);
        }
    }
}
