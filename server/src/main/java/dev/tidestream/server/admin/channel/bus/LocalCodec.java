package dev.tidestream.server.admin.channel.bus;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.MessageCodec;

/** Hands messages over as they are, which is right for immutable ones inside one process. */
final class LocalCodec implements MessageCodec<Object, Object> {
    static final String NAME = "tidestream.admin.local";
    private static final byte USER_CODEC = -1;

    @Override
    public void encodeToWire(Buffer buffer, Object message) {
        throw new UnsupportedOperationException("admin messages stay in their process: " + message.getClass().getSimpleName());
    }

    @Override
    public Object decodeFromWire(int position, Buffer buffer) {
        throw new UnsupportedOperationException("admin messages stay in their process");
    }

    @Override
    public Object transform(Object message) {
        return message;
    }

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public byte systemCodecID() {
        return USER_CODEC;
    }
}
