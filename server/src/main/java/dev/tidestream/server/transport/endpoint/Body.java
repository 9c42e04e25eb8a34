package dev.tidestream.server.transport.endpoint;

import io.vertx.core.buffer.Buffer;

import dev.tidestream.server.transport.common.AssemblyBudget;

/** A body that has come to its end, and is to be read by somebody; it counts as held until then. */
public final class Body {
    private final Buffer bytes;
    private final AssemblyBudget budget;
    private int held;

    Body(Buffer bytes, AssemblyBudget budget, int held) {
        this.bytes = bytes;
        this.budget = budget;
        this.held = held;
    }

    /** All of it. Any thread. */
    public Buffer bytes() {
        return bytes;
    }

    /** It has been read, or nobody will; again does nothing. Event loop. */
    public void release() {
        budget.free(held);
        held = 0;
    }
}
