package dev.tidestream.server.openai.responses;

import java.nio.charset.StandardCharsets;

import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;

import dev.tidestream.protocol.Usage;
import dev.tidestream.server.openai.Answer;
import dev.tidestream.server.openai.Answers;
import dev.tidestream.server.openai.EventStream;
import dev.tidestream.server.openai.Fingerprints;
import dev.tidestream.server.openai.HttpGeneration;
import dev.tidestream.server.openai.responses.LiveResponse.Status;
import dev.tidestream.server.openai.wire.TokenRequest;
import dev.tidestream.server.openai.wire.TokenTexts;
import dev.tidestream.server.transport.endpoint.Exchange;
import dev.tidestream.server.transport.http.HttpError;
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
    private Status finished = Status.COMPLETED;
    private int sent;

    ResponseAnswer(LiveResponse response, TokenRequest request, ResponseStore store, Fingerprints fingerprints, TokenTexts texts,
            Exchange exchange, int writeQueueBytes, HttpGeneration generation) {
        this.response = response;
        this.growth = new ResponseGrowth(response, store, fingerprints, texts, request.topLogprobs() >= 0, this);
        this.exchange = exchange;
        this.generation = generation;
        this.events = new EventStream(exchange.response(), response.origin().id(), writeQueueBytes);
        this.streamed = request.stream();
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
    public void signOfLife() {
        if (streamed) {
            events.signOfLife();
        }
    }

    @Override
    public void grown() {
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
        generation.ended(tell());
    }

    @Override
    public void cancelled() {
        growth.end(Status.CANCELLED, null, null);
        generation.ended(tell());
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
            send();
            generation.ended(events.end());
        } else {
            exchange.response().putHeader("x-request-id", response.origin().id()); // it may be kept, with its error
            generation.ended(Answers.refuse(exchange, error));
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
