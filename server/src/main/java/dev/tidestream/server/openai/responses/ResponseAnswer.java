package dev.tidestream.server.openai.responses;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.function.Supplier;

import io.vertx.core.Future;
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
import dev.tidestream.server.transport.endpoint.AnswerMemory;
import dev.tidestream.server.transport.endpoint.EndpointFactory;
import dev.tidestream.server.transport.endpoint.Exchange;
import dev.tidestream.server.transport.http.HttpError;
import dev.tidestream.server.transport.http.JsonAnswer;
import dev.tidestream.server.transport.stream.FrameMapper;

/** The answer to the client that asked for a response, streamed or whole. Event loop. */
final class ResponseAnswer implements Answer, FrameMapper {
    private static final long MAX_BYTES = 4 << 20; // of which text takes two each character
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
    private final AnswerMemory memory;
    private final AnswerMemory.Share share;
    private final JsonBytes chunk = new JsonBytes();
    private @Nullable Supplier<Future<Void>> ending; // once it is known, until all events are out
    private Status finished = Status.COMPLETED;
    private boolean accepted;
    private int sent;
    private long version;
    private int seq;
    private int token;

    ResponseAnswer(LiveResponse response, ResponseStore store, Fingerprints fingerprints, TokenTexts texts, Exchange exchange,
            EndpointFactory.Loop loop, HttpGeneration generation) {
        this.response = response;
        this.store = store;
        this.fingerprints = fingerprints;
        this.exchange = exchange;
        this.generation = generation;
        this.events = new EventStream(exchange.response(), response.origin().id(), loop.streams().writeQueueBytes(), loop.clock());
        this.streamed = response.origin().request().common().stream();
        this.withLogprobs = response.origin().request().common().topLogprobs() >= 0;
        this.logprobs = LogprobList.ofResponses(texts);
        this.memory = loop.memory();
        this.share = memory.share();
        generation.closed().onComplete(closed -> share.release());
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
    public Duration signOfLife(Duration silence) {
        return streamed ? events.signOfLife(silence) : silence;
    }

    @Override
    public void drained() {
        send();
    }

    @Override
    public void accepted(TokenEvent.Accepted a) {
        accepted = true;
        version = a.weightsVersion();
        response.begun(version, a.seed(), fingerprints.of(version, a.headMode()));
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
        long bytes = response.bytes() + logprobs.size();
        if (bytes > MAX_BYTES) {
            generation.fail(HttpError.of(BAD_REQUEST, "answer_too_large",
                    "the response is too large to be kept: bytes=%d, limit=%d".formatted(bytes, MAX_BYTES)));
        } else if (!share.grow(bytes)) {
            generation.fail(Answers.noRoom(memory));
        }
    }

    private void delta(String text) {
        String told = "";
        if (!logprobs.isEmpty()) {
            JsonBytes entries = new JsonBytes();
            logprobs.writeTo(entries);
            logprobs.clear();
            String list = new String(entries.toBytes(), StandardCharsets.UTF_8);
            told = list.substring(1, list.length() - 1);
        }
        response.add(new LiveResponse.Delta(text, told, version, seq, token));
        send();
    }

    /** Sends what the client has not got yet, as far as the socket takes it, and then the end. */
    private void send() {
        if (!streamed) {
            return;
        }
        int count = ResponseEvents.count(response);
        while (sent < count && events.writable()) {
            events.send(ResponseEvents.write(chunk.clear(), response, sent));
            sent++;
        }
        Supplier<Future<Void>> end = ending;
        if (sent == count && end != null) {
            ending = null;
            generation.ended(end.get());
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
        tell();
    }

    @Override
    public void cancelled() {
        ended(Status.CANCELLED, null, null);
        tell();
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
            ending = events::end;
            send();
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

    private void tell() {
        if (streamed) {
            ending = events::done;
            send();
            return;
        }
        byte[] json = (ResponseEvents.object(response, true) + "\n").getBytes(StandardCharsets.UTF_8);
        generation.ended(exchange.response().setStatusCode(OK)
                .putHeader(HttpHeaders.CONTENT_TYPE, "application/json")
                .putHeader(HttpHeaders.CONTENT_LENGTH, Integer.toString(json.length))
                .putHeader(HttpHeaders.CACHE_CONTROL, "no-store")
                .putHeader("x-request-id", response.origin().id())
                .end(JsonAnswer.wrapped(json, json.length)));
    }
}
