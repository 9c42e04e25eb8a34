package dev.tidestream.server.keys;

import java.io.Serial;
import java.util.OptionalLong;

/** A key that may not ask for more, for now or at all. The message is for its holder: it names the limit and its value. */
public final class KeyLimitException extends Exception {
    @Serial
    private static final long serialVersionUID = 1L;
    private static final long NEVER = -1;

    private final KeyRefusal refusal;
    private final long retryAfterMs;

    private KeyLimitException(KeyRefusal refusal, long retryAfterMs, String message) {
        super(message);
        this.refusal = refusal;
        this.retryAfterMs = retryAfterMs;
    }

    static KeyLimitException later(KeyRefusal refusal, long retryAfterMs, String message) {
        return new KeyLimitException(refusal, retryAfterMs, "%s; try again in %d ms".formatted(message, retryAfterMs));
    }

    static KeyLimitException never(KeyRefusal refusal, String message) {
        return new KeyLimitException(refusal, NEVER, message);
    }

    /** Which limit it is. */
    public KeyRefusal refusal() {
        return refusal;
    }

    /** When to try again; empty if that would be of no use. */
    public OptionalLong retryAfterMs() {
        return retryAfterMs == NEVER ? OptionalLong.empty() : OptionalLong.of(retryAfterMs);
    }
}
