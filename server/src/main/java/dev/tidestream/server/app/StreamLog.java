package dev.tidestream.server.app;

import java.util.Locale;

import dev.tidestream.server.logging.BackgroundLog;
import dev.tidestream.server.logging.EventLine;
import dev.tidestream.server.logging.EventLog;
import dev.tidestream.server.scheduler.StreamEnd;

/** A line of the log for every stream that has ended. */
final class StreamLog implements AutoCloseable {
    private static final int MAX_WAITING = 4096;

    private final BackgroundLog log = new BackgroundLog(EventLog.of(EventLog.STREAMS), MAX_WAITING);

    /** Decode thread. */
    void ended(StreamEnd end) {
        log.done(() -> line(end));
    }

    static EventLine line(StreamEnd end) {
        return EventLine.of("stream")
                .with("outcome", end.outcome().name().toLowerCase(Locale.ROOT))
                .with("code", end.code() == null ? null : end.code().wireName())
                .with("stream", end.stream())
                .with("prompt_tokens", end.usage().promptTokens())
                .with("completion_tokens", end.usage().completionTokens())
                .with("queue_ms", end.timing().queueMs())
                .with("first_token_ms", end.timing().firstTokenMs())
                .with("total_ms", end.timing().totalMs())
                .with("tokens_per_s", end.timing().tokensPerS())
                .with("weights_version", end.weightsVersion());
    }

    @Override
    public void close() {
        log.close();
    }
}
