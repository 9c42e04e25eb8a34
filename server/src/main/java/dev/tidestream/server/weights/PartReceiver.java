package dev.tidestream.server.weights;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Optional;

import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.admin.UpdatesDesk;
import dev.tidestream.server.transport.common.EventLoopClock;
import dev.tidestream.server.transport.endpoint.EndpointFactory;
import dev.tidestream.server.transport.endpoint.Exchange;

/**
 * A part on its way from its request to the disk: a chunk at a time, the socket is read no faster than the disk writes. A large one on
 * HTTP/1 takes its connection over, so that it may take longer than other requests; then a client that sends nothing for a while is given
 * up, and the connection ends with the answer. Event loop; the desk is called on threads of {@link DeskThreads}.
 */
final class PartReceiver {
    private static final Duration SILENCE = Duration.ofSeconds(60);
    private static final Duration CLOSE_AGAIN_AFTER = Duration.ofSeconds(1);
    private static final long LARGE_BYTES = 1 << 20;

    private final Exchange exchange;
    private final EndpointFactory.Loop loop;
    private final DeskThreads calls;
    private final HttpServerRequest request;
    private final boolean own;
    private EventLoopClock.@Nullable Timer timer;
    private UpdatesDesk.@Nullable PartUpload upload;
    private boolean over;
    private boolean writing;
    private boolean ended;
    private @Nullable Throwable failure;

    private PartReceiver(Exchange exchange, EndpointFactory.Loop loop, DeskThreads calls, long byteLength) {
        this.exchange = exchange;
        this.loop = loop;
        this.calls = calls;
        this.request = exchange.request();
        this.own = byteLength > LARGE_BYTES && request.version() != HttpVersion.HTTP_2;
    }

    /** Where what is asked for goes. */
    interface Target {
        Optional<UpdatesDesk.PartUpload> open() throws AdminException;
    }

    /**
     * Receives a part, and answers.
     *
     * @param byteLength that was announced
     * @param answers called once, with what went wrong, or null; {@link ClientGoneException} if nobody can be answered
     */
    static void receive(Exchange exchange, EndpointFactory.Loop loop, DeskThreads calls, long byteLength, Target target, Answers answers) {
        PartReceiver receiver = new PartReceiver(exchange, loop, calls, byteLength);
        receiver.begin(target, answers);
    }

    /** Nobody is there to be answered. */
    static final class ClientGoneException extends Exception {
        private static final long serialVersionUID = 1L;

        ClientGoneException(@Nullable Throwable cause) {
            super("the client has gone", cause);
        }
    }

    /** Answers the request. */
    interface Answers {
        Future<Void> answer(@Nullable Throwable failure);
    }

    private void begin(Target target, Answers answers) {
        request.pause();
        if (own) {
            loop.admin().orElseThrow().takeOver().accept(request.connection());
        }
        if ("100-continue".equalsIgnoreCase(request.getHeader(HttpHeaders.EXPECT))) {
            request.response().writeContinue();
        }
        request.exceptionHandler(e -> fail(new ClientGoneException(e), answers));
        request.response().closeHandler(v -> fail(new ClientGoneException(null), answers));
        request.handler(chunk -> write(chunk, answers));
        request.endHandler(v -> {
            ended = true;
            finishIfWritten(answers);
        });
        calls.run(loop.context(), target::open).onComplete(opened -> {
            if (opened.failed()) {
                failure = opened.cause();
                drain(answers);
            } else if (opened.result().isEmpty()) {
                drain(answers); // it is there already, and need not be read
            } else {
                upload = opened.result().get();
                if (over) {
                    close();
                } else {
                    awaitMore(answers);
                    request.resume();
                }
            }
        });
    }

    /** The rest is thrown away as it comes, so that the answer is read. */
    private void drain(Answers answers) {
        request.handler(chunk -> awaitMore(answers));
        awaitMore(answers);
        request.resume();
        if (ended) {
            done(answers);
        }
    }

    private void awaitMore(Answers answers) {
        awaitNothing();
        if (!over && !ended) {
            timer = loop.clock().after(SILENCE, () -> fail(new AdminException(
                    AdminErrorCode.INVALID_LENGTH, "nothing came for %d s".formatted(SILENCE.toSeconds())), answers));
        }
    }

    /** While the disk is what takes its time, the client is not to blame. */
    private void awaitNothing() {
        if (timer != null) {
            timer.cancel();
            timer = null;
        }
    }

    private void write(Buffer chunk, Answers answers) {
        UpdatesDesk.PartUpload to = upload;
        if (over || failure != null || to == null) {
            return;
        }
        request.pause();
        writing = true;
        awaitNothing();
        calls.run(loop.context(), () -> {
            to.accept(ByteBuffer.wrap(chunk.getBytes()));
            return true;
        }).onComplete(written -> {
            writing = false;
            if (written.failed() && failure == null) {
                failure = written.cause();
            }
            if (over) {
                close();
            } else if (failure != null) {
                drain(answers);
            } else {
                finishIfWritten(answers);
                awaitMore(answers);
                request.resume();
            }
        });
    }

    private void finishIfWritten(Answers answers) {
        if (!ended || writing || over) {
            return;
        }
        awaitNothing();
        UpdatesDesk.PartUpload to = upload;
        if (to == null || failure != null) {
            done(answers);
            return;
        }
        writing = true;
        calls.run(loop.context(), () -> {
            to.finish();
            return true;
        }).onComplete(finished -> {
            writing = false;
            if (finished.failed()) {
                failure = finished.cause();
            }
            if (over) {
                close(); // the client has gone meanwhile
            } else {
                done(answers);
            }
        });
    }

    private void fail(Throwable why, Answers answers) {
        if (failure == null) {
            failure = why;
        }
        done(answers);
    }

    private void done(Answers answers) {
        if (over) {
            return;
        }
        over = true;
        awaitNothing();
        if (!writing) {
            close();
        }
        if (own && !exchange.response().closed()) {
            exchange.response().putHeader(HttpHeaders.CONNECTION, "close");
        }
        answers.answer(failure).onComplete(sent -> {
            if (own) {
                request.connection().close();
            }
        });
    }

    /** Lets go of the file, unless it has become a part. */
    private void close() {
        UpdatesDesk.PartUpload open = upload;
        upload = null;
        if (open != null) {
            close(open);
        }
    }

    /** Until there is a thread for it: what is not let go of counts as bytes that are held. */
    private void close(UpdatesDesk.PartUpload open) {
        calls.run(loop.context(), () -> {
            open.close();
            return true;
        }).onFailure(e -> {
            if (e instanceof AdminException busy && busy.code() == AdminErrorCode.BUSY) {
                var _ = loop.clock().after(CLOSE_AGAIN_AFTER, () -> close(open));
            }
        });
    }
}
