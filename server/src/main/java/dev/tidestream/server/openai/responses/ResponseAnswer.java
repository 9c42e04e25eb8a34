package dev.tidestream.server.openai.responses;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.function.Supplier;

import io.vertx.core.Future;
import io.vertx.core.http.HttpHeaders;
import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.Usage;
import dev.tidestream.server.openai.Answer;
import dev.tidestream.server.openai.Answers;
import dev.tidestream.server.openai.Backend;
import dev.tidestream.server.openai.EventStream;
import dev.tidestream.server.openai.HttpGeneration;
import dev.tidestream.server.openai.responses.LiveResponse.Status;
import dev.tidestream.server.openai.wire.JsonBytes;
import dev.tidestream.server.openai.wire.TokenRequest;
import dev.tidestream.server.openai.wire.TokenTexts;
import dev.tidestream.server.transport.endpoint.AnswerMemory;
import dev.tidestream.server.transport.endpoint.EndpointFactory;
import dev.tidestream.server.transport.endpoint.Exchange;
import dev.tidestream.server.transport.http.HttpError;
import dev.tidestream.server.transport.http.JsonAnswer;
import dev.tidestream.server.transport.stream.FrameMapper;

/** The answer over HTTP to the client that asked for a response, streamed or whole. Event loop. */
final class ResponseAnswer implements Answer, ResponseGrowth.Listener {
    private static final int OK = 200;

    private final LiveResponse response;
    private final ResponseGrowth growth;
    private final Exchange exchange;
    private final HttpGeneration generation;
    private final EventStream events;
    private final boolean streamed;
    private final AnswerMemory memory;
    private final AnswerMemory.Share share;
    private final JsonBytes chunk = new JsonBytes();
    private @Nullable Supplier<Future<Void>> ending; // once it is known, until all events are out
    private Status finished = Status.COMPLETED;
    private int sent;

    ResponseAnswer(LiveResponse response, TokenRequest request, ResponseStore store, Backend backend, TokenTexts texts,
            Exchange exchange, EndpointFactory.Loop loop, HttpGeneration generation) {
        this.response = response;
        this.growth = new ResponseGrowth(response, store, backend, texts, request.topLogprobs() >= 0, this);
        this.exchange = exchange;
        this.generation = generation;
        this.events = new EventStream(exchange.response(), response.origin().id(), loop.streams().writeQueueBytes(), loop.clock());
        this.streamed = request.stream();
        this.memory = loop.memory();
        this.share = memory.share();
        generation.closed().onComplete(closed -> share.release());
        response.cancelBy(generation::cancel);
    }

    @Override
    public FrameMapper choice(int index) {
        return growth;
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
    public void grown() {
        if (!share.grow(response.bytes())) {
            generation.fail(Answers.noRoom(memory));
        }
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
    public void finished(Status status, Usage usage) {
        finished = status;
        generation.finished(0, usage);
    }

    @Override
    public void failed(HttpError error) {
        generation.fail(error);
    }

    @Override
    public void end(Usage usage) {
        growth.end(finished, usage, null);
        tell();
    }

    @Override
    public void cancelled() {
        growth.end(Status.CANCELLED, null, null);
        tell();
    }

    @Override
    public void gone() {
        growth.end(Status.CANCELLED, null, null);
    }

    @Override
    public void fail(HttpError error) {
        growth.end(Status.FAILED, null, error);
        if (streamed && events.started()) {
            exchange.note(error);
            ending = events::end;
            send();
        } else {
            exchange.response().putHeader("x-request-id", response.origin().id()); // it may be kept, with its error
            generation.ended(Answers.refuse(exchange, error));
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
