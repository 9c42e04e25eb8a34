package dev.tidestream.server.resume;

import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;

import dev.tidestream.protocol.ClientMessage;
import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.server.engine.Engine;
import dev.tidestream.server.engine.EngineException;
import dev.tidestream.server.engine.GenerateRequest;
import dev.tidestream.server.engine.Generation;
import dev.tidestream.server.keys.StreamTab;

/**
 * The streams that outlive their connections, by handles that nobody can guess: 128 random bits. A stream is kept for
 * {@link ResumeLimits#window} after nobody has it any more, whether it has ended or not. Any thread.
 */
public final class ResumableStreams {
    private static final int HANDLE_BYTES = 16;

    private final Engine engine;
    private final ResumeLimits limits;
    private final LongSupplier nanoClock;
    private final StreamJournal journal;
    private final SecureRandom random = new SecureRandom();
    private final Map<String, ResumableStream> streams = new HashMap<>(); // guarded by this
    private long promptBytes; // of these; guarded by this

    /** Streams that end with the process. */
    public ResumableStreams(Engine engine, ResumeLimits limits, LongSupplier nanoClock) {
        this(engine, limits, nanoClock, StreamJournal.NONE);
    }

    /**
     * @param nanoClock monotonic
     * @param journal where they are written down; those that it has are there from the begin on
     */
    public ResumableStreams(Engine engine, ResumeLimits limits, LongSupplier nanoClock, StreamJournal journal) {
        this.engine = engine;
        this.limits = limits;
        this.nanoClock = nanoClock;
        this.journal = journal;
        for (StreamRecord past : journal.read(limits.any() ? limits.maxStreams() : 0)) {
            ResumableStream[] self = new ResumableStream[1];
            self[0] = new ResumableStream(past, request(past.identity().message(), new Object()), engine, nanoClock, limits.bytesPerStream(),
                    () -> journal.changed(self[0]));
            streams.put(past.identity().handle(), self[0]);
            promptBytes += past.identity().promptBytes();
        }
    }

    /**
     * A stream that has not begun, or not for this connection, and its handle.
     *
     * @param handle what {@link #resume} wants
     * @param generation its events
     * @param tab what is counted of it for its owner
     */
    public record Opened(String handle, Generation generation, StreamTab tab) {}

    /**
     * Opens a stream.
     *
     * @param owner who may go on with it: equal owners are one
     * @param connection whose it is as long as that lives
     * @throws EngineException if streams are not kept, or if as many are under way as may be
     */
    public Opened open(ClientMessage.Generate message, String owner, Object connection) {
        if (!limits.any()) {
            throw new EngineException(ErrorCode.INVALID_VALUE, "resumable: this server keeps no streams (--resume-window is 0)");
        }
        byte[] bytes = new byte[HANDLE_BYTES];
        random.nextBytes(bytes);
        String handle = Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
        StreamRecord.Identity identity = new StreamRecord.Identity(handle, owner, message.resumableAs(handle));
        ResumableStream[] self = new ResumableStream[1];
        ResumableStream stream = new ResumableStream(identity, request(message, connection), engine, nanoClock, limits.bytesPerStream(),
                () -> journal.changed(self[0]));
        self[0] = stream;
        List<ResumableStream> over = new ArrayList<>();
        boolean hasRoom = put(stream, over);
        over.forEach(this::end);
        if (!hasRoom) {
            throw new EngineException(ErrorCode.BUSY, "as many streams that can be resumed are under way as may be: limit=%d, bytes=%d"
                    .formatted(limits.maxStreams(), limits.maxBytes()));
        }
        return new Opened(handle, stream.begin(), stream.tab());
    }

    /**
     * Puts one in, if there is room.
     *
     * @param over gets those that had to make room
     */
    private synchronized boolean put(ResumableStream stream, List<ResumableStream> over) {
        long bytes = stream.identity().promptBytes();
        while (streams.size() >= limits.maxStreams() || (!streams.isEmpty() && promptBytes + bytes > limits.maxBytes())) {
            ResumableStream longest = streams.values().stream().min(Comparator.comparingLong(ResumableStream::idleSinceNs)).orElseThrow();
            if (longest.idleSinceNs() == Long.MAX_VALUE) {
                return false;
            }
            remove(longest);
            over.add(longest);
        }
        streams.put(stream.identity().handle(), stream);
        promptBytes += bytes;
        return true;
    }

    private void remove(ResumableStream stream) {
        streams.remove(stream.identity().handle());
        promptBytes -= stream.identity().promptBytes();
    }

    /**
     * Goes on with a stream; whoever has it now has it no more, and is told so.
     *
     * @param handle from {@link Opened}
     * @param owner who asks
     * @param afterSeq the last token that is not to be sent again; -1: all are
     * @throws EngineException if there is no such stream, or it cannot go on from there
     */
    public Opened resume(String handle, String owner, int afterSeq) {
        ResumableStream stream;
        synchronized (this) {
            stream = streams.get(handle);
        }
        if (stream == null || !stream.identity().owner().equals(owner)) {
            throw new EngineException(ErrorCode.UNKNOWN_STREAM,
                    "no stream that could be resumed has this name; they are kept for %d s".formatted(limits.window().toSeconds()));
        }
        return new Opened(handle, stream.after(afterSeq), stream.tab());
    }

    /** Streams that are kept. */
    public synchronized int count() {
        return streams.size();
    }

    /** Gives up what nobody has had for too long; to be called every while. */
    public void sweep() {
        List<ResumableStream> over = new ArrayList<>();
        synchronized (this) {
            streams.values().stream()
                    .filter(stream -> stream.refused() || stream.idleFor(limits.window().toNanos()))
                    .forEach(over::add);
            over.forEach(this::remove);
        }
        over.forEach(this::end);
    }

    private void end(ResumableStream stream) {
        stream.giveUp();
        journal.ended(stream);
    }

    /** What the engine is asked for. */
    private static GenerateRequest request(ClientMessage.Generate m, Object connection) {
        return new GenerateRequest(m.prompt(), m.messages(), m.parseSpecial(), m.tokens(), m.maxTokens(), m.sampling(), m.stop(),
                m.topLogprobs(), -1, m.weights(), connection).with(m.adapter());
    }
}
