package dev.tidestream.server.weights;

import java.time.Duration;
import java.util.Optional;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerResponse;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.admin.VersionsDesk;
import dev.tidestream.server.transport.endpoint.EndpointFactory;
import dev.tidestream.server.transport.endpoint.Exchange;

/**
 * A version on its way to a client: the next bytes are made when the socket has taken those before, so a slow client costs neither memory
 * nor a thread. One that takes nothing at all is closed, as with every answer. Event loop; bytes are made on threads of
 * {@link DeskThreads}.
 */
final class ExportSender {
    private static final Logger log = LoggerFactory.getLogger(ExportSender.class);
    private static final Duration AGAIN_AFTER = Duration.ofMillis(200);

    private final Exchange exchange;
    private final EndpointFactory.Loop loop;
    private final DeskThreads calls;
    private final VersionsDesk.Export export;
    private final Runnable ended;
    private boolean making;
    private boolean over;

    private ExportSender(Exchange exchange, EndpointFactory.Loop loop, DeskThreads calls, VersionsDesk.Export export, Runnable ended) {
        this.exchange = exchange;
        this.loop = loop;
        this.calls = calls;
        this.export = export;
        this.ended = ended;
    }

    /**
     * Sends it, and closes it.
     *
     * @param fileName for whoever saves it
     * @param ended called once
     */
    static void send(Exchange exchange, EndpointFactory.Loop loop, DeskThreads calls, VersionsDesk.Export export, String fileName,
            Runnable ended) {
        ExportSender sender = new ExportSender(exchange, loop, calls, export, ended);
        HttpServerResponse response = exchange.response();
        if (response.closed()) {
            sender.end();
            return;
        }
        response.putHeader(HttpHeaders.CONTENT_TYPE, "application/octet-stream")
                .putHeader(HttpHeaders.CONTENT_LENGTH, String.valueOf(export.bytes()))
                .putHeader(HttpHeaders.CONTENT_DISPOSITION, "attachment; filename=\"%s\"".formatted(fileName));
        response.closeHandler(v -> sender.end());
        response.exceptionHandler(e -> sender.end());
        response.drainHandler(v -> sender.next());
        sender.next();
    }

    private void next() {
        if (over || making || exchange.response().writeQueueFull()) {
            return;
        }
        making = true;
        calls.run(loop.context(), export::next).onComplete(made -> {
            making = false;
            if (over) {
                export.close();
            } else if (made.succeeded()) {
                write(made.result());
            } else if (made.cause() instanceof AdminException e && e.code() == AdminErrorCode.BUSY) {
                var _ = loop.clock().after(AGAIN_AFTER, this::next);
            } else {
                fail(made.cause());
            }
        });
    }

    private void write(Optional<byte[]> bytes) {
        if (bytes.isEmpty()) {
            exchange.response().end().onComplete(v -> end());
            return;
        }
        exchange.response().write(Buffer.buffer(bytes.get())).onFailure(e -> end());
        next();
    }

    /** The head is out: all that is left is to break off, so that nobody takes it for a whole file. */
    private void fail(Throwable cause) {
        log.error("an export broke off: path={}", exchange.request().path(), cause);
        end();
        exchange.request().connection().close();
    }

    private void end() {
        if (!over) {
            over = true;
            if (!making) {
                export.close();
            }
            ended.run();
        }
    }
}
