package dev.tidestream.server.transport.websocket;

import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;

import io.netty.buffer.ByteBuf;
import io.netty.channel.socket.DuplexChannel;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.internal.net.NetSocketInternal;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.tidestream.server.transport.common.AssemblyBudget;
import dev.tidestream.server.transport.common.EventLoopClock;
import dev.tidestream.server.transport.common.Refusal;
import dev.tidestream.server.transport.common.Refusals;
import dev.tidestream.server.transport.common.Remote;

/**
 * A WebSocket with what every protocol on it needs: messages, signs of life, the closing handshake, and bounds on both sides.
 * Event loop.
 *
 * <pre>
 * OPEN ── violation ──► FAILING ── all is answered, or the grace is over ──► FINISHING ── end of file, or timeout ──► CLOSED
 *   │                                                                           ▲
 *   ├── the client's close frame: ours answers it ──────────────────────────────┤
 *   └── close() ──► CLOSING ── the client's close frame ────────────────────────┘
 * </pre>
 *
 * <p>One's own close frame is the last that is written, whatever anybody asks for: {@link #close} is the only way to it, and in
 * the states behind it nothing is written and no message is read. The session hears {@link ConnectionListener#onClose} at that
 * moment, so that nothing computes for a client that cannot be told. After a violation the connection is not cut at once, since
 * bytes that were not read would make the system reset it, and the client might never see the close frame: our side is shut,
 * and what still comes is thrown away (RFC 6455, 7.1.7).
 *
 * <p>Answers to what the client sends (refusals, acknowledgements, pongs) are limited by nothing but what it sends, so once
 * {@value #MAX_UNREAD_REPLIES} of them were queued while the socket was full, nothing more is read from the client until it has
 * read; TCP then slows it down.
 */
public final class Connection implements FrameDecoder.Handler {
    private static final Logger log = LoggerFactory.getLogger(Connection.class);
    private static final int MAX_UNREAD_REPLIES = 64;
    private static final int INTERNAL_ERROR = 1011;

    private enum State {
        OPEN,
        FAILING,
        CLOSING,
        FINISHING,
        CLOSED
    }

    private final NetSocketInternal socket;
    private final ConnectionLimits limits;
    private final EventLoopClock clock;
    private final Refusals refusals;
    private final FrameDecoder decoder;
    private final MessageAssembler assembler;
    private final SilenceWatch silence;
    private final InputThrottle throttle;
    private final Promise<Void> closed = Promise.promise();

    private @Nullable ConnectionListener listener; // null before it runs, and again once it has heard the end
    private State state = State.OPEN;
    private @Nullable ByteBuffer unread; // came while nothing was to be read
    private boolean pumping;
    private boolean socketReads = true;
    private boolean held;
    private int unreadReplies;
    private EventLoopClock.@Nullable Timer patience; // with the answers, then with the client

    /**
     * @param maxMessageBytes largest text message
     * @param input what it may send per second; null for one who may send as fast as it can
     */
    public Connection(
            NetSocketInternal socket,
            int maxMessageBytes,
            ConnectionLimits limits,
            AssemblyBudget budget,
            InputRate.@Nullable Meter input,
            EventLoopClock clock, Refusals refusals) {
        this.socket = socket;
        this.limits = limits;
        this.clock = clock;
        this.refusals = refusals;
        this.decoder = new FrameDecoder(this, limits.maxFrameBytes());
        this.assembler = new MessageAssembler(maxMessageBytes, budget, this::onOutcome);
        this.throttle = new InputThrottle(input, clock, this::updateReading);
        this.silence = new SilenceWatch(clock, limits.pingInterval(), limits.deadAfter(), this::ping, this::onSilence);
    }

    /** Address and port of the client, for the log. */
    public String remote() {
        return Remote.of(socket.remoteAddress());
    }

    /** Begins to read. */
    public void run(ConnectionListener session) {
        listener = session;
        socket.setWriteQueueMaxSize(limits.writeQueueBytes());
        socket.messageHandler(message -> onBytes((ByteBuf) message));
        socket.drainHandler(v -> onDrain());
        socket.exceptionHandler(e -> log.debug("connection failed: remote={}", socket.remoteAddress(), e));
        socket.closeHandler(v -> onClosed());
        silence.look();
    }

    /** Completes when the socket is closed. */
    public Future<Void> closed() {
        return closed.future();
    }

    /** Whether more that need not be sent now would go out soon. */
    public boolean writable() {
        return isTalking() && !socket.writeQueueFull();
    }

    /** Sends a text message that something bounds already, e.g. demand. */
    public void write(String text) {
        if (isTalking()) {
            FrameEncoder.text(text, limits.maxFrameBytes(), socket::writeMessage);
        }
    }

    /** Sends a text message that answers what the client sent. */
    public void writeReply(String text) {
        write(text);
        countReply();
    }

    /**
     * Reads nothing more from the client until {@link #release}, not even what has come already. What comes yet is what one
     * read of the socket takes.
     */
    public void hold() {
        held = true;
        updateReading();
    }

    /** Reads again. */
    public void release() {
        if (held) {
            held = false;
            updateReading();
        }
    }

    /**
     * Sends a close frame, unless there was one, and nothing after it; the session has heard its end when this returns.
     *
     * @param code see {@link CloseCode}
     * @param reason ASCII, at most 123 characters of it
     */
    public void close(int code, String reason) {
        if (isTalking()) {
            sendClose(code, reason, state == State.FAILING ? State.FINISHING : State.CLOSING);
        }
    }

    /** Closes the socket, whatever the client has been told, and whatever is not written yet: it may never be. */
    @SuppressWarnings("FutureReturnValueIgnored") // it is closed, or was
    public void abort() {
        socket.channelHandlerContext().close();
    }

    private boolean isTalking() {
        return state == State.OPEN || state == State.FAILING;
    }

    /** Copied to the heap, where it costs little to look at byte by byte, so that nothing holds on to buffers of the socket. */
    private void onBytes(ByteBuf received) {
        silence.seen();
        ByteBuffer rest = unread;
        ByteBuffer bytes = ByteBuffer.allocate((rest == null ? 0 : rest.remaining()) + received.readableBytes());
        if (rest != null) {
            bytes.put(rest);
        }
        int count = received.readableBytes();
        received.readBytes(bytes);
        received.release();
        unread = bytes.flip();
        throttle.count(count);
        pump();
    }

    /** Decodes what there is, as long as it is to be read, and has the socket read on if it is. */
    private void pump() {
        if (pumping) {
            return;
        }
        pumping = true;
        while (unread != null && wantsToRead()) {
            ByteBuffer bytes = unread;
            unread = null;
            try {
                decoder.decode(bytes);
            } catch (RuntimeException e) { // a fault of ours
                log.error("connection failed: remote={}", socket.remoteAddress(), e);
                close(INTERNAL_ERROR, "a fault of the server");
            }
            if (bytes.hasRemaining()) {
                unread = bytes;
            }
        }
        pumping = false;
        if (socketReads != wantsToRead()) {
            socketReads = !socketReads;
            socket.channelHandlerContext().channel().config().setAutoRead(socketReads);
            if (socketReads) {
                socket.resume();
            } else {
                socket.pause();
            }
        }
    }

    private boolean wantsToRead() {
        if (throttle.closed()) {
            return state == State.CLOSED;
        }
        return state != State.OPEN || !(held || unreadReplies >= MAX_UNREAD_REPLIES);
    }

    private void updateReading() {
        silence.hold(held || throttle.closed());
        decoder.pause(!wantsToRead());
        pump();
    }

    @Override
    public void onData(boolean text, boolean first, ByteBuffer piece, long leftInFrame, boolean last) {
        if (state != State.OPEN) {
            return;
        }
        if (text) {
            onOutcome(assembler.accept(first, piece, leftInFrame, last));
        } else if (listener != null) {
            listener.onBinary(Buffer.buffer(bytes(piece)), first, leftInFrame);
        }
    }

    private static byte[] bytes(ByteBuffer piece) {
        byte[] bytes = new byte[piece.remaining()];
        piece.get(bytes);
        return bytes;
    }

    private void onOutcome(MessageAssembler.Outcome outcome) {
        ConnectionListener session = listener;
        if (session == null) {
            return;
        }
        switch (outcome) {
            case MessageAssembler.Outcome.Incomplete i -> {}
            case MessageAssembler.Outcome.Text t -> session.onText(t.text());
            case MessageAssembler.Outcome.Refused r -> {
                switch (r.reason()) {
                    case TOO_LARGE -> {
                        refusals.count(Refusal.MESSAGE_TOO_LARGE);
                        session.onTooLarge(r.bytes(), r.head());
                    }
                    case NO_ROOM -> {
                        refusals.count(Refusal.ASSEMBLY_FULL);
                        session.onNoRoom(r.bytes(), r.head());
                    }
                }
            }
        }
    }

    @Override
    public void onPing(byte[] payload) {
        if (state == State.OPEN) {
            socket.writeMessage(FrameEncoder.pong(payload));
            countReply();
        }
    }

    @Override
    public void onPong() {} // the sign of life that it is

    @Override
    public void onClose(int code) {
        if (state == State.OPEN) {
            sendClose(code, "", State.FINISHING);
        } else if (state == State.CLOSING) {
            state = State.FINISHING;
            abort();
        }
    }

    @Override
    public void onViolation(int code, String reason) {
        refusals.count(switch (code) {
            case CloseCode.INVALID_UTF8 -> Refusal.INVALID_UTF8;
            case CloseCode.TOO_BIG -> Refusal.FRAME_TOO_BIG;
            default -> Refusal.PROTOCOL_ERROR;
        });
        log.debug("protocol violation: remote={}, code={}, reason={}", socket.remoteAddress(), code, reason);
        if (state == State.CLOSING) {
            abort(); // no answer to our close frame will come
        }
        ConnectionListener session = listener;
        if (state != State.OPEN || session == null) {
            return;
        }
        state = State.FAILING;
        assembler.release();
        patience = clock.after(limits.answerGrace(), () -> close(code, reason));
        session.onViolation().onComplete(answered -> close(code, reason));
    }

    // ---- what goes

    private void countReply() {
        if (isTalking() && socket.writeQueueFull() && ++unreadReplies == MAX_UNREAD_REPLIES) {
            updateReading();
        }
    }

    private void onDrain() {
        silence.seen();
        unreadReplies = 0;
        updateReading();
        if (isTalking() && listener != null) {
            listener.onDrain();
        }
    }

    private void ping() {
        if (isTalking()) {
            socket.writeMessage(FrameEncoder.ping());
        }
    }

    private void onSilence(long silentNs) {
        refusals.count(Refusal.NO_SIGN_OF_LIFE);
        close(CloseCode.GOING_AWAY, "no sign of life for " + TimeUnit.NANOSECONDS.toMillis(silentNs) + " ms");
    }

    // ---- the end

    private void sendClose(int code, String reason, State next) {
        boolean failed = state == State.FAILING;
        state = next;
        Future<Void> sent = socket.writeMessage(FrameEncoder.close(code, reason));
        if (next == State.FINISHING) {
            sent.onSuccess(v -> {
                if (failed) {
                    shutOutput();
                } else {
                    abort(); // both have said that it is over: RFC 6455 wants the server to be the first to go
                }
            });
        }
        cancel(patience);
        patience = clock.after(limits.closeTimeout(), this::abort);
        silence.stop();
        end();
        updateReading(); // to hear the client's close frame, or the end of file
    }

    /** The client sees the end of file behind the close frame; what it still sends is read and thrown away until it is gone. */
    @SuppressWarnings("FutureReturnValueIgnored") // the socket is closed afterwards, whatever comes of it
    private void shutOutput() {
        if (socket.channelHandlerContext().channel() instanceof DuplexChannel channel) {
            channel.shutdownOutput();
        }
    }

    private void end() {
        assembler.release();
        ConnectionListener session = listener;
        listener = null;
        if (session != null) {
            session.onClose();
        }
    }

    private void onClosed() {
        state = State.CLOSED;
        decoder.stop();
        silence.stop();
        cancel(patience);
        end();
        closed.tryComplete();
        unread = null;
        updateReading(); // Vert.x lets go of what came while nothing was to be read
    }

    private static void cancel(EventLoopClock.@Nullable Timer timer) {
        if (timer != null) {
            timer.cancel();
        }
    }
}
