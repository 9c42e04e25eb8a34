package dev.tidestream.server.transport.websocket;

import java.util.ArrayDeque;
import java.util.Queue;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;

/**
 * Keeps the bytes that came behind a handshake in the same read, from when the HTTP decoder lets go of them until somebody
 * listens; Vert.x would lose them. Passes them on when it is removed. At most what one read of the socket takes.
 */
final class EarlyBytes extends ChannelInboundHandlerAdapter {
    private final Queue<ByteBuf> early = new ArrayDeque<>();

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        if (message instanceof ByteBuf bytes) {
            early.add(bytes);
        } else {
            ctx.fireChannelRead(message); // what is left of the request
        }
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext ctx) {
        if (early.isEmpty()) {
            return;
        }
        for (ByteBuf bytes = early.poll(); bytes != null; bytes = early.poll()) {
            ctx.fireChannelRead(bytes);
        }
        ctx.fireChannelReadComplete();
    }
}
