package dev.tidestream.server.transport.http;

import java.util.ArrayList;
import java.util.List;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.http2.Http2Connection;
import io.netty.handler.codec.http2.Http2ConnectionHandler;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2FrameListenerDecorator;
import io.netty.handler.codec.http2.Http2RemoteFlowController;
import io.netty.handler.codec.http2.Http2Stream;
import io.vertx.core.http.HttpServerResponse;
import org.jspecify.annotations.Nullable;

/**
 * Answers over HTTP/2 that wait for the client's flow-control windows (RFC 9113, 5.2). The channel knows nothing of them: to it, such a
 * connection is idle and written out. An answer waits in two places: in Netty's flow controller, and, while that says that the stream is
 * not writable, in a queue of Vert.x before it. Neither tells how much. What an answer has sent, though, is what its window was and was
 * given, less what is left of it; if that stays the same for too long while the answer waits, the answer is reset, and others of the
 * connection go on. Grants that send nothing do not count: those of a stream whose connection has no window, say. Event loop.
 */
final class WindowWatch {
    private final Http2ConnectionHandler handler;
    private final ChannelHandlerContext context;
    private final Http2Connection.PropertyKey key;
    private final Runnable stalled;

    /** The answer on a stream; its property, so that it goes with it. */
    private static final class Answer {
        final HttpServerResponse response;
        long granted; // bytes, since its request came
        long sent; // bytes, at the last look; but for a constant
        long sinceNs;
        boolean waited; // at the last look

        Answer(HttpServerResponse response) {
            this.response = response;
        }
    }

    private WindowWatch(Http2ConnectionHandler handler, ChannelHandlerContext context, Runnable stalled) {
        this.handler = handler;
        this.context = context;
        this.key = handler.connection().newKey();
        this.stalled = stalled;
        handler.decoder().frameListener(new Http2FrameListenerDecorator(handler.decoder().frameListener()) {
            @Override
            public void onWindowUpdateRead(ChannelHandlerContext ctx, int stream, int increment) throws Http2Exception {
                granted(stream, increment);
                super.onWindowUpdateRead(ctx, stream, increment);
            }
        });
    }

    /**
     * That of a connection; null if it is none of HTTP/2.
     *
     * @param stalled called for every answer that is given up
     */
    static @Nullable WindowWatch of(ChannelPipeline pipeline, Runnable stalled) {
        Http2ConnectionHandler handler = pipeline.get(Http2ConnectionHandler.class);
        return handler == null ? null : new WindowWatch(handler, pipeline.context(handler), stalled);
    }

    /** Looks at this answer, too, for as long as its stream is open. */
    void follow(HttpServerResponse response) {
        Http2Stream stream = handler.connection().stream(response.streamId());
        if (stream != null) {
            stream.setProperty(key, new Answer(response));
            response.headersEndHandler(head -> flushSoon(stream));
        }
    }

    /** Vert.x flushes a head together with what follows it, which may wait: the head need not. */
    private void flushSoon(Http2Stream stream) {
        if (!flow().isWritable(stream)) {
            context.executor().execute(context::flush);
        }
    }

    private void granted(int streamId, int increment) {
        Http2Stream stream = handler.connection().stream(streamId);
        Answer answer = stream == null ? null : stream.getProperty(key);
        if (answer != null) {
            answer.granted += increment;
        }
    }

    private Http2RemoteFlowController flow() {
        return handler.encoder().flowController();
    }

    /** Whether no answer waits for a window. */
    boolean isWritten() {
        boolean[] written = {true};
        forEachAnswer((stream, answer) -> written[0] &= !waits(stream, answer));
        return written[0];
    }

    private boolean waits(Http2Stream stream, Answer answer) {
        boolean window = flow().windowSize(stream) > 0 && flow().windowSize(handler.connection().connectionStream()) > 0;
        return !window && (flow().hasFlowControlled(stream) || isQueued(stream, answer.response));
    }

    private static boolean isQueued(Http2Stream stream, HttpServerResponse response) {
        return response.ended() ? stream.state().localSideOpen() : response.headWritten() && response.writeQueueFull();
    }

    /** Resets answers that have waited for so long and sent nothing, as far as these looks can tell. */
    void look(long nowNs, long timeoutNs) {
        List<Http2Stream> tooLong = new ArrayList<>();
        forEachAnswer((stream, answer) -> {
            long sent = flow().initialWindowSize() + answer.granted - flow().windowSize(stream);
            boolean waits = waits(stream, answer);
            if (!waits || !answer.waited || sent != answer.sent) {
                answer.sinceNs = nowNs;
            } else if (nowNs - answer.sinceNs >= timeoutNs) {
                tooLong.add(stream);
            }
            answer.waited = waits;
            answer.sent = sent;
        });
        tooLong.forEach(this::giveUp);
    }

    /** Vert.x resets nothing whose end it has handed on, sent or not. */
    @SuppressWarnings("FutureReturnValueIgnored") // it ends, or has ended
    private void giveUp(Http2Stream stream) {
        stalled.run();
        handler.encoder().writeRstStream(context, stream.id(), Http2Error.CANCEL.code(), context.newPromise());
        context.flush();
    }

    private interface Visitor {
        void visit(Http2Stream stream, Answer answer);
    }

    private void forEachAnswer(Visitor visitor) {
        try {
            handler.connection().forEachActiveStream(stream -> {
                Answer answer = stream.getProperty(key);
                if (answer != null) {
                    visitor.visit(stream, answer);
                }
                return true;
            });
        } catch (Http2Exception e) {
            throw new IllegalStateException("a visitor throws none", e);
        }
    }
}
