package dev.tidestream.server.weights.trainer;

import java.io.IOException;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;

import com.fasterxml.jackson.core.JsonGenerator;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import org.jspecify.annotations.Nullable;

import dev.tidestream.server.transport.endpoint.EndpointFactory;
import dev.tidestream.server.transport.endpoint.Exchange;

/** What a trainer's pause does: nothing, or waits for streams to end, or ends them. None holds up those that come later. Event loop. */
record Pause(RunningStreams streams, Duration patience, EndpointFactory.Loop loop) {
    private static final Duration LOOK_AGAIN_AFTER = Duration.ofMillis(50);

    /** What becomes of the streams that there are. */
    enum Mode {
        KEEP,
        WAIT,
        ABORT;

        String word() {
            return name().toLowerCase(Locale.ROOT);
        }

        /** Null for no mode's word. */
        static @Nullable Mode of(String word) {
            for (Mode mode : values()) {
                if (mode.word().equals(word)) {
                    return mode;
                }
            }
            return null;
        }
    }

    /**
     * What has come of it.
     *
     * @param running streams of then that still run
     * @param ended streams that were ended
     */
    record Outcome(Mode mode, int running, int ended) {
        void writeTo(JsonGenerator json) throws IOException {
            json.writeStringField("mode", mode.word());
            switch (mode) {
                case KEEP -> json.writeStringField("note", "nothing is paused: an update needs no pause, and streams go on");
                case WAIT -> json.writeNumberField("still_running", running);
                case ABORT -> json.writeNumberField("aborted", ended);
            }
        }
    }

    Future<Outcome> run(Mode mode, Exchange exchange) {
        long newest = streams.newest();
        return switch (mode) {
            case KEEP -> Future.succeededFuture(new Outcome(mode, 0, 0));
            case ABORT -> left(newest).map(running -> {
                streams.stop(newest);
                return new Outcome(mode, 0, running);
            });
            case WAIT -> {
                Promise<Outcome> ended = Promise.promise();
                await(newest, loop.clock().nanoTime() + patience.toNanos(), exchange, ended);
                yield ended.future();
            }
        };
    }

    private Future<Integer> left(long newest) {
        CompletableFuture<Integer> left = streams.left(newest);
        return Future.fromCompletionStage(left, loop.context());
    }

    private void await(long newest, long untilNs, Exchange exchange, Promise<Outcome> ended) {
        left(newest).onFailure(ended::fail).onSuccess(running -> {
            if (running == 0 || loop.clock().nanoTime() - untilNs >= 0 || exchange.response().closed()) {
                ended.complete(new Outcome(Mode.WAIT, running, 0));
            } else {
                var _ = loop.clock().after(LOOK_AGAIN_AFTER, () -> await(newest, untilNs, exchange, ended));
            }
        });
    }
}
