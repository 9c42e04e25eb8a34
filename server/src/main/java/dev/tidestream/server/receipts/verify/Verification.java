package dev.tidestream.server.receipts.verify;

import java.time.Duration;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

import io.vertx.core.Future;
import io.vertx.core.Promise;
import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.protocol.ServerTexts;
import dev.tidestream.protocol.WeightsPolicy;
import dev.tidestream.protocol.options.Priority;
import dev.tidestream.protocol.options.Urgency;
import dev.tidestream.server.engine.Continuation;
import dev.tidestream.server.engine.Engine;
import dev.tidestream.server.engine.Evidence;
import dev.tidestream.server.engine.GenerateRequest;
import dev.tidestream.server.engine.RequestOptions;
import dev.tidestream.server.engine.TokenEvent;
import dev.tidestream.server.keys.StreamLease;
import dev.tidestream.server.openai.Answers;
import dev.tidestream.server.receipts.verify.Judge.Recompute;
import dev.tidestream.server.receipts.verify.Verdict.Code;
import dev.tidestream.server.tracing.RequestTrace;
import dev.tidestream.server.transport.common.Mailbox;
import dev.tidestream.server.transport.endpoint.EndpointFactory;
import dev.tidestream.server.transport.endpoint.Exchange;
import dev.tidestream.server.transport.endpoint.Session;
import dev.tidestream.server.transport.http.Abort;
import dev.tidestream.server.transport.http.HttpError;
import dev.tidestream.server.transport.stream.ClientStream;
import dev.tidestream.server.transport.stream.FrameMapper;

/**
 * A stream computed again, span after span of the same weights: each goes on behind the tokens before it, like a stream that is resumed,
 * with its version pinned. It is asked for as many tokens as the receipt has, and no more are computed. Ends with its client. Event loop.
 */
final class Verification implements Session, ClientStream.Outlet, FrameMapper {
    private static final String ID = "verify";

    private final Exchange exchange;
    private final EndpointFactory.Loop loop;
    private final Engine engine;
    private final Recompute recompute;
    private final StreamLease lease;
    private final Object connection;
    private final Consumer<Verdict> answer;
    private final Mailbox mailbox;
    private final Comparison comparison;
    private final long deadlineNs;
    private final Promise<Void> closed = Promise.promise();
    private @Nullable ClientStream running;
    private int span;
    private boolean over;

    /**
     * @param connection those of equal ones take turns with the streams of others as one
     * @param patience how long it may take, all waiting included
     * @param answer told what it has come to, unless the client has gone
     */
    Verification(Exchange exchange, EndpointFactory.Loop loop, Engine engine, Recompute recompute, StreamLease lease, Object connection,
            Duration patience, Consumer<Verdict> answer) {
        this.exchange = exchange;
        this.loop = loop;
        this.engine = engine;
        this.recompute = recompute;
        this.lease = lease;
        this.connection = connection;
        this.answer = answer;
        this.mailbox = new Mailbox(task -> loop.context().runOnContext(v -> task.run()));
        this.comparison = new Comparison(recompute.receipt(), recompute.request());
        this.deadlineNs = loop.clock().nanoTime() + patience.toNanos();
    }

    @Override
    public void run() {
        if (exchange.response().closed()) {
            stop();
            closed.complete();
            return;
        }
        exchange.response().closeHandler(v -> {
            stop();
            closed.tryComplete();
        });
        lease.accepted(recompute.prompt().length);
        if (spans().isEmpty()) { // none was asked for, or it was ended before its first token
            end(comparison.verdictOnNothing());
        } else {
            begin();
        }
    }

    private List<Evidence.Span> spans() {
        return recompute.receipt().evidence().spans();
    }

    private void begin() {
        Evidence evidence = recompute.receipt().evidence();
        Evidence.Span now = spans().get(span);
        Continuation from = new Continuation(comparison.tokens(), now.weightsVersion());
        GenerateRequest request = new GenerateRequest(null, List.of(), false, recompute.prompt(), evidence.maxTokens(), evidence.sampling(),
                evidence.stop(), -1, -1, WeightsPolicy.PIN, connection, connection, from,
                new RequestOptions(false, new Urgency(Priority.BATCH, leftMs()), null, RequestTrace.NONE));
        OptionalInt credit = OptionalInt.of(now.to() - comparison.count());
        ClientStream stream = new ClientStream(ID, credit, engine.generate(request), mailbox, this, this,
                loop.streams().windowTokens());
        running = stream;
        try {
            stream.begin();
        } catch (RuntimeException e) {
            stream.onError(e);
        }
    }

    /** Of the time that all spans have together; at least 1 ms, so that the engine refuses a span without any. */
    private long leftMs() {
        return Math.max(1, TimeUnit.NANOSECONDS.toMillis(deadlineNs - loop.clock().nanoTime()));
    }

    @Override
    public boolean writable() {
        return true; // nothing is written before the end
    }

    @Override
    public void ended(ClientStream stream) {
        running = null;
    }

    @Override
    public void accepted(TokenEvent.Accepted a) {
        String headMode = spans().get(span).headMode();
        if (!a.headMode().equals(headMode)) {
            end(Verdict.of(Code.OTHER_HEAD_MODE,
                    "logits of these weights are computed in another way: weights_version=%d, head_mode=%s, of the receipt=%s".formatted(a.weightsVersion(), a.headMode(), headMode)));
        }
    }

    @Override
    public void progress(TokenEvent.Progress progress) {}

    @Override
    public void scored(TokenEvent.Scored scored) {}

    @Override
    public void token(TokenEvent.Token t) {
        lease.token(t.seq());
        comparison.add(t.token(), t.text());
        if (t.finish() != null || comparison.count() < spans().get(span).to()) {
            return;
        }
        abandon(); // it would go on
        if (++span < spans().size()) {
            begin();
        } else {
            end(comparison.verdict(null));
        }
    }

    @Override
    public void finished(TokenEvent.Finish finish) {
        end(comparison.verdict(finish.reason())); // a stream that its client ended would have gone on
    }

    @Override
    public void failed(ErrorCode code, String message) {
        switch (code) {
            case VERSION_GONE -> end(Verdict.of(Code.VERSION_GONE, message));
            case PROMPT_TOO_LONG, INVALID_VALUE -> end(Verdict.of(Code.REFUSED, message));
            default -> fail(Answers.error(code, message));
        }
    }

    private void end(Verdict verdict) {
        if (!over) {
            stop();
            answer.accept(verdict);
        }
    }

    private void fail(HttpError error) {
        if (!over) {
            stop();
            answered(exchange.refuse(error));
        }
    }

    /** The answer is on its way; this is closed when it is out. */
    void answered(Future<Void> written) {
        written.onComplete(done -> closed.tryComplete());
    }

    private void abandon() {
        if (running != null) {
            running.abandon();
            running = null;
        }
    }

    private void stop() {
        over = true;
        abandon();
        lease.close();
    }

    @Override
    public Future<Void> closed() {
        return closed.future();
    }

    @Override
    public int underWay() {
        return running == null ? 0 : 1;
    }

    @Override
    public void drain() {} // it takes nothing new by itself

    @Override
    public void breakOff() {
        fail(Answers.error(ErrorCode.SHUTTING_DOWN, ServerTexts.SHUTTING_DOWN));
    }

    @Override
    public void abort() {
        Abort.answer(exchange.request());
    }
}
