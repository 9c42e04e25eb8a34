package dev.tidestream.server.openai.responses;

import java.nio.charset.StandardCharsets;

import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.protocol.FinishReason;
import dev.tidestream.protocol.Usage;
import dev.tidestream.server.engine.TokenEvent;
import dev.tidestream.server.openai.Answer;
import dev.tidestream.server.openai.Answers;
import dev.tidestream.server.openai.EventStream;
import dev.tidestream.server.openai.Fingerprints;
import dev.tidestream.server.openai.HttpGeneration;
import dev.tidestream.server.openai.responses.LiveResponse.Status;
import dev.tidestream.server.openai.wire.JsonBytes;
import dev.tidestream.server.openai.wire.LogprobList;
import dev.tidestream.server.openai.wire.TokenTexts;
import dev.tidestream.server.transport.endpoint.Exchange;
import dev.tidestream.server.transport.http.HttpError;
import dev.tidestream.server.transport.stream.FrameMapper;

/** The answer to the client that asked for a response, streamed or whole. Event loop. */
final class ResponseAnswer implements Answer, FrameMapper {
    private static final long MAX_BYTES = 32 << 20; // of which text takes two each character
    private static final int BAD_REQUEST = 400;
    private static final int OK = 200;

    private final LiveResponse response;
    private final ResponseStore store;
    private final Fingerprints fingerprints;
    private final Exchange exchange;
    private final HttpGeneration generation;
    private final EventStream events;
    private final boolean streamed;
    private final boolean withLogprobs;
    private final LogprobList logprobs; // not told yet
    private Status finished = Status.COMPLETED;
    private boolean accepted;
    private int sent;
    private long version;
    private int seq;
    private int token;

    ResponseAnswer(LiveResponse response, ResponseStore store, Fingerprints fingerprints, TokenTexts texts, Exchange exchange,
            int writeQueueBytes, HttpGeneration generation) {
        this.response = response;
        this.store = store;
        this.fingerprints = fingerprints;
        this.exchange = exchange;
        this.generation = generation;
        this.events = new EventStream(exchange.response(), response.origin().id(), writeQueueBytes);
        this.streamed = response.origin().request().common().stream();
        this.withLogprobs = response.origin().request().common().topLogprobs() >= 0;
        this.logprobs = LogprobList.ofResponses(texts);
    }

    @Override
    public FrameMapper choice(int index) {
        return this;
    }

    @Override
    public boolean writable() {
        return !streamed || events.writable();
    }

    @Override
    public void signOfLife() {
        if (streamed) {
            events.signOfLife();
        }
    }

    @Override
    public void accepted(TokenEvent.Accepted a) {
        accepted = true;
        version = a.weightsVersion();
        response.begun(version, a.seed(), fingerprints.of(version));
        if (response.origin().request().store()) {
            response.cancelBy(generation::cancel);
            store.begin(response);
        }
        send();
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
            generation.fail(HttpError.of(BAD_REQUEST, "answer_too_large",
                    "the response is too large to be kept: bytes=%d, limit=%d".formatted(response.bytes() + logprobs.size(), MAX_BYTES)));
        }
    }

    private void delta(String text) {
        JsonBytes entries = new JsonBytes();
        String told = "";
        if (!logprobs.isEmpty()) {
            logprobs.writeTo(entries);
            logprobs.clear();
            String list = new String(entries.toBytes(), StandardCharsets.UTF_8);
            told = list.substring(1, list.length() - 1);
        }
        response.add(new LiveResponse.Delta(text, told, version, seq, token));
        send();
    }

    /** Sends the events that the client has not got yet. */
    private void send() {
        if (!streamed) {
            return;
        }
        for (int count = ResponseEvents.count(response); sent < count; sent++) {
            events.send(ResponseEvents.write(response, sent));
        }
    }

    @Override
    public void finished(TokenEvent.Finish f) {
        if (!logprobs.isEmpty()) {
            delta(""); // of tokens that made no text
        }
        finished = f.reason() == FinishReason.STOP ? Status.COMPLETED : Status.INCOMPLETE;
        generation.finished(0, f.usage());
    }

    @Override
    public void failed(ErrorCode code, String message) {
        generation.fail(Answers.error(code, message));
    }

    @Override
    public void end(Usage usage) {
        ended(finished, usage, null);
        generation.ended(tell());
    }

    @Override
    public void cancelled() {
        ended(Status.CANCELLED, null, null);
        generation.ended(tell());
    }

    @Override
    public void gone() {
        ended(Status.CANCELLED, null, null);
    }

    @Override
    public void fail(HttpError error) {
        ended(Status.FAILED, null, error);
        if (streamed && events.started()) {
            exchange.note(error);
            send();
            generation.ended(events.end());
        } else {
            generation.ended(Answers.refuse(exchange, error));
        }
    }

    private void ended(Status status, @Nullable Usage usage, @Nullable HttpError error) {
        response.end(status, usage, error);
        if (accepted && response.origin().request().store()) {
            store.end(response);
        }
    }

    private Future<Void> tell() {
        if (streamed) {
            send();
            return events.done();
        }
        byte[] json = (ResponseEvents.object(response, true) + "\n").getBytes(StandardCharsets.UTF_8);
        return exchange.response().setStatusCode(OK)
                .putHeader(HttpHeaders.CONTENT_TYPE, "application/json")
                .putHeader(HttpHeaders.CONTENT_LENGTH, Integer.toString(json.length))
                .putHeader(HttpHeaders.CACHE_CONTROL, "no-store")
                .putHeader("x-request-id", response.origin().id())
                .end(Buffer.buffer(json));
    }
}
