package dev.tidestream.server.transport.endpoint;

import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.http.HttpVersion;

import dev.tidestream.server.transport.common.AssemblyBudget;
import dev.tidestream.server.transport.http.HttpError;

/**
 * The body of one request, put together within two bounds: its own, and what all connections may hold of what has not come to its end.
 * Memory is taken for what has come, not for what is announced. What is refused is thrown away as it comes, so that the answer is read
 * and the connection goes on. Event loop.
 */
final class RequestBody implements AssemblyBudget.Holder {
    private static final int TOO_LARGE = 413;
    private static final int EXPECTATION_FAILED = 417;
    private static final int UNAVAILABLE = 503;

    private final int maxBytes;
    private final AssemblyBudget budget;
    private final HttpServerResponse response;
    private final Promise<Body> result = Promise.promise();
    private Buffer bytes = Buffer.buffer();
    private int held;
    private boolean refused;

    RequestBody(HttpServerRequest request, int maxBytes, AssemblyBudget budget) {
        this.maxBytes = maxBytes;
        this.budget = budget;
        this.response = request.response();
        request.exceptionHandler(e -> {
            release();
            result.tryFail(e); // the client has gone
        });
        response.closeHandler(v -> giveBack()); // a stream of HTTP/2 that we have reset tells nobody else
        request.endHandler(v -> end());
        request.handler(this::append);
        begin(request);
    }

    /** The whole body, which counts until it is released; fails with a {@link RequestRefusedException}, or if the client has gone. */
    Future<Body> future() {
        return result.future();
    }

    private void begin(HttpServerRequest request) {
        String announced = request.getHeader(HttpHeaders.CONTENT_LENGTH);
        if (announced != null && Long.parseLong(announced) > maxBytes) { // the decoder takes digits alone
            refuse(tooLarge(announced));
            return;
        }
        String expected = request.getHeader(HttpHeaders.EXPECT);
        if (expected != null && request.version() == HttpVersion.HTTP_1_1) {
            if (expected.equalsIgnoreCase("100-continue")) {
                response.writeContinue();
            } else {
                refuse(HttpError.of(EXPECTATION_FAILED, "expectation_failed", "nothing but 100-continue can be expected"));
            }
        }
    }

    private void append(Buffer piece) {
        if (refused) {
            return;
        }
        if ((long) bytes.length() + piece.length() > maxBytes) {
            refuse(tooLarge(">=" + (bytes.length() + (long) piece.length())));
        } else if (!budget.reserve(this, piece.length())) {
            giveUp();
        } else {
            held += piece.length();
            bytes.appendBuffer(piece);
        }
    }

    private HttpError tooLarge(String size) {
        return HttpError.of(TOO_LARGE, "request_too_large", "body too large: bytes=%s, limit=%d".formatted(size, maxBytes));
    }

    /** What is left of a request that has been answered meanwhile, for having taken too long, is nobody's. */
    private void end() {
        if (response.ended()) {
            giveBack();
        } else if (!refused) {
            budget.keep(this);
            result.tryComplete(new Body(bytes, budget, held));
            held = 0;
            bytes = Buffer.buffer();
        }
    }

    private void giveBack() {
        release();
        result.tryFail("the request has ended before its body");
    }

    private void refuse(HttpError error) {
        refused = true;
        release();
        result.tryFail(new RequestRefusedException(error));
    }

    private void release() {
        budget.release(this, held);
        held = 0;
        bytes = Buffer.buffer();
    }

    @Override
    public int heldBytes() {
        return held;
    }

    @Override
    public void giveUp() {
        refuse(HttpError.of(UNAVAILABLE, "overloaded",
                "no room for this body among what is being received, try again later: limit of all=" + budget.limitBytes()));
    }
}
