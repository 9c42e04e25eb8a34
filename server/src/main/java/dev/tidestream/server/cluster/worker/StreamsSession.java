package dev.tidestream.server.cluster.worker;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.server.cluster.wire.ClusterCodec;
import dev.tidestream.server.cluster.wire.GatewayFrame;
import dev.tidestream.server.cluster.wire.WireException;
import dev.tidestream.server.cluster.wire.WorkerFrame;
import dev.tidestream.server.engine.Engine;
import dev.tidestream.server.transport.endpoint.Session;
import dev.tidestream.server.transport.websocket.CloseCode;
import dev.tidestream.server.transport.websocket.Connection;
import dev.tidestream.server.transport.websocket.ConnectionListener;

/**
 * One gateway on this worker: its streams, and their frames. A gateway that goes takes its streams with it, since it makes them go on
 * elsewhere, or its clients are gone. Event loop.
 */
final class StreamsSession implements Session, ConnectionListener {
    private static final Logger log = LoggerFactory.getLogger(StreamsSession.class);
    private static final Pattern START = Pattern.compile("\\A\\[\\[\"start\",(\\d{1,18}),");

    private final Connection connection;
    private final Engine engine;
    private final ClusterCodec codec;
    private final WorkerFrame.Hello hello;
    private final int maxStreams;
    private final Outbox outbox;
    private final Map<Long, WorkerStream> streams = new HashMap<>();
    private boolean draining;
    private boolean over;

    StreamsSession(Connection connection, Executor eventLoop, Engine engine, ClusterCodec codec, WorkerFrame.Hello hello, int maxStreams) {
        this.connection = connection;
        this.engine = engine;
        this.codec = codec;
        this.hello = hello;
        this.maxStreams = maxStreams;
        this.outbox = new Outbox(eventLoop, this::send);
    }

    @Override
    public void run() {
        connection.run(this);
        outbox.post(hello);
        log.info("a gateway has come: remote={}", connection.remote());
    }

    @Override
    public Future<Void> closed() {
        return connection.closed();
    }

    @Override
    public int underWay() {
        return streams.size();
    }

    @Override
    public void drain() {
        draining = true;
        outbox.post(new WorkerFrame.Drain());
        closeIfDone();
    }

    @Override
    public void breakOff() {
        connection.close(CloseCode.RESTART, "the worker stops");
    }

    @Override
    public void abort() {
        connection.abort();
    }

    @Override
    public void onText(String text) {
        try {
            codec.decodeGateway(text).forEach(this::take);
        } catch (WireException e) {
            log.warn("a gateway said what is no frame, it is disconnected: remote={}, message={}", connection.remote(), e.getMessage());
            send(List.of(new WorkerFrame.Fault(String.valueOf(e.getMessage()))));
            connection.close(CloseCode.PROTOCOL_ERROR, "no frame of this wire");
        }
    }

    private void take(GatewayFrame frame) {
        WorkerStream stream = streams.get(frame.id());
        switch (frame) {
            case GatewayFrame.Start s -> start(s);
            case GatewayFrame.Credit c -> {
                if (stream != null) {
                    stream.request(c.events());
                }
            }
            case GatewayFrame.Stop s -> {
                if (stream != null) {
                    stream.stop();
                }
            }
            case GatewayFrame.Cancel c -> {
                if (stream != null) {
                    streams.remove(c.id());
                    stream.cancel();
                    closeIfDone();
                }
            }
        }
    }

    private void start(GatewayFrame.Start s) {
        if (draining) {
            outbox.post(new WorkerFrame.Failed(s.id(), ErrorCode.SHUTTING_DOWN, "the worker stops: node=" + hello.node()));
        } else if (streams.size() >= maxStreams) {
            outbox.post(new WorkerFrame.Failed(s.id(), ErrorCode.BUSY, "a gateway has as many streams here as it may: limit=" + maxStreams));
        } else {
            WorkerStream stream = new WorkerStream(s.id(), engine.generate(s.request()), s.demand(), outbox);
            if (streams.putIfAbsent(s.id(), stream) == null) {
                stream.begin();
            }
        }
    }

    private void send(List<WorkerFrame> frames) {
        if (over) {
            return;
        }
        connection.write(codec.encodeWorker(frames));
        for (WorkerFrame frame : frames) {
            streams.remove(WorkerStream.endedBy(frame)); // numbers begin with 1
        }
        closeIfDone();
    }

    private void closeIfDone() {
        if (draining && streams.isEmpty() && !over) {
            connection.close(CloseCode.RESTART, "the worker stops");
        }
    }

    @Override
    public void onTooLarge(long bytes, String head) {
        refuse(head, ErrorCode.PROMPT_TOO_LONG, "the request is too large for the worker: bytes=" + bytes);
    }

    @Override
    public void onNoRoom(long bytes, String head) {
        refuse(head, ErrorCode.BUSY, "the worker holds as much of unfinished messages as it may: bytes=" + bytes);
    }

    /** A message of more than one frame is small: one that is too large begins with its only one. */
    private void refuse(String head, ErrorCode code, String message) {
        Matcher start = START.matcher(head);
        if (start.find()) {
            outbox.post(new WorkerFrame.Failed(Long.parseLong(start.group(1)), code, message));
        } else {
            connection.close(CloseCode.PROTOCOL_ERROR, "a message that is too large");
        }
    }

    @Override
    public void onBinary(Buffer part, boolean first, long leftInFrame) {
        connection.close(CloseCode.PROTOCOL_ERROR, "text only");
    }

    @Override
    public void onDrain() {}

    @Override
    public Future<Void> onViolation() {
        return Future.succeededFuture();
    }

    @Override
    public void onClose() {
        over = true;
        log.info("a gateway has gone: remote={}, streams={}", connection.remote(), streams.size());
        streams.values().forEach(WorkerStream::cancel);
        streams.clear();
    }
}
