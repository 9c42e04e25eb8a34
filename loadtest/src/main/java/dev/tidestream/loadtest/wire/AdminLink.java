package dev.tidestream.loadtest.wire;

import java.net.URI;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.admin.AdminCodec;
import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.protocol.admin.AdminProtocol;
import dev.tidestream.protocol.admin.AdminProtocolException;
import dev.tidestream.protocol.admin.AdminReply;
import dev.tidestream.protocol.admin.AdminRequest;

/** A connection to the admin channel; on the I/O thread. */
public final class AdminLink {
    private static final int MAX_REPLY_CHARS = 4 << 20;
    private static final int FRAME_BYTES = 64 << 10;

    private final AdminCodec codec = new AdminCodec(MAX_REPLY_CHARS);
    private final Map<String, Consumer<AdminReply>> waiting = new HashMap<>();
    private @Nullable Socket socket;
    private boolean closing;

    private AdminLink() {}

    /**
     * Begins to connect.
     *
     * @param token of administrators; goes into a header, nowhere else
     * @param opened hears of the open connection
     * @param lost hears why it ended, unless we closed it; or what came that is no reply
     */
    public static void connect(Io io, URI url, String token, LongSupplier nanoTime, Consumer<AdminLink> opened,
            Consumer<String> lost) {
        AdminLink link = new AdminLink();
        Socket.connect(io, io.http().headers(h -> h.set("Authorization", "Bearer " + token)), url, AdminProtocol.SUBPROTOCOL,
                nanoTime,
                new Socket.Listener() {
                    @Override
                    public void opened(Socket socket) {
                        link.socket = socket;
                        opened.accept(link);
                    }

                    @Override
                    public void text(String text, long nowNs) {
                        try {
                            link.reply(link.codec.decodeReply(text), lost);
                        } catch (AdminProtocolException e) {
                            lost.accept("not a reply of " + AdminProtocol.SUBPROTOCOL + ": " + e.getMessage());
                        }
                    }

                    @Override
                    public void closed(String why, long nowNs) {
                        if (!link.closing) {
                            lost.accept(why);
                        }
                    }
                });
    }

    private void reply(AdminReply reply, Consumer<String> lost) {
        if (reply instanceof AdminReply.Progress) {
            return;
        }
        Consumer<AdminReply> asker = reply.ref() == null ? null : waiting.remove(reply.ref());
        if (asker != null) {
            asker.accept(reply);
        } else if (!(reply instanceof AdminReply.Failed f && f.code() == AdminErrorCode.UNEXPECTED_BINARY)) {
            lost.accept("an answer to no request: " + reply); // the exception: a refused update's payload was still on its way
        }
    }

    /** @param payload of an update; null without one */
    public void send(AdminRequest request, byte @Nullable [] payload, Consumer<AdminReply> answer) {
        Socket s = socket;
        if (s == null) {
            throw new IllegalStateException("not connected");
        }
        waiting.put(request.ref(), answer);
        s.send(codec.encode(request));
        for (int at = 0; payload != null && at < payload.length; at += FRAME_BYTES) {
            s.send(payload, at, Math.min(FRAME_BYTES, payload.length - at));
        }
    }

    public void close() {
        closing = true;
        if (socket != null) {
            socket.close();
        }
    }
}
