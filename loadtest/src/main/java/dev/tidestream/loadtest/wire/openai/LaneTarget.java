package dev.tidestream.loadtest.wire.openai;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.jspecify.annotations.Nullable;

import dev.tidestream.loadtest.wire.Io;
import dev.tidestream.loadtest.wire.Link;
import dev.tidestream.loadtest.wire.Socket;
import dev.tidestream.loadtest.wire.StreamRequest;
import dev.tidestream.loadtest.wire.Target;

/**
 * Responses over a WebSocket: {@code response.create} on a lane of its own ({@code stream_id}) for each stream that runs, so
 * that streams of one connection run side by side. The names of lanes are used again, since a connection may have but so
 * many.
 */
public final class LaneTarget implements Target {
    private static final int LANES = 16; // that OpenAI answers at the same time
    private static final String STREAM_ID = "stream_id";

    private final Io io;
    private final Api.Endpoint endpoint;
    private final String model;
    private final boolean own;
    private final @Nullable String key;
    private final LongSupplier nanoTime;

    /**
     * @param model to name to the server
     * @param own whether the server is known to be a Tidestream
     * @param key for the header {@code Authorization}; null: without
     */
    public LaneTarget(Io io, Api.Endpoint endpoint, String model, boolean own, @Nullable String key, LongSupplier nanoTime) {
        this.io = io;
        this.endpoint = endpoint;
        this.model = model;
        this.own = own;
        this.key = key;
        this.nanoTime = nanoTime;
    }

    @Override
    public String name() {
        return "openai " + endpoint.api() + " " + endpoint.url();
    }

    @Override
    public boolean framesAreItsOwn() {
        return false;
    }

    @Override
    public int streamsPerConnection() {
        return LANES;
    }

    @Override
    public void connect(Link.Listener listener) {
        Socket.connect(io, io.http(key), endpoint.url(), null, nanoTime, new Socket.Listener() {
            private @Nullable LaneLink link;

            @Override
            public void opened(Socket socket) {
                LaneLink opened = new LaneLink(socket, listener);
                link = opened;
                listener.opened(opened);
            }

            @Override
            public void text(String text, long nowNs) {
                if (link != null) {
                    link.message(text, nowNs);
                }
            }

            @Override
            public void closed(String why, long nowNs) {
                listener.closed(why, nowNs);
            }
        });
    }

    /** A stream on its lane. */
    private record Running(String id, ResponseReader reader) {}

    private final class LaneLink implements Link {
        private final Socket socket;
        private final Listener listener;
        private final Map<String, Running> running = new HashMap<>(); // by lane
        private final Deque<String> free = new ArrayDeque<>();

        LaneLink(Socket socket, Listener listener) {
            this.socket = socket;
            this.listener = listener;
            for (int i = 0; i < LANES; i++) {
                free.add("lane-" + i);
            }
        }

        @Override
        public void start(StreamRequest request) {
            String lane = free.remove();
            running.put(lane, new Running(request.id(),
                    new ResponseReader(false, request.id(), request.prompt().maxTokens(), listener, () -> { })));
            ObjectNode message = RequestBody.of(endpoint.api(), model, request, own).put("type", "response.create")
                    .put(STREAM_ID, lane);
            request.credit().ifPresent(credit -> message.putObject("tidestream").put("credit", credit));
            socket.send(message.toString());
        }

        @Override
        public void resume(String id, String name, int afterSeq) {
            throw new IllegalStateException("nothing to resume on OpenAI's wires: stream=" + id);
        }

        @Override
        public void credit(String id, int tokens) {
            send(id, Told.JSON.createObjectNode().put("type", "tidestream.credit").put("n", tokens));
        }

        @Override
        public void cancel(String id) {
            send(id, Told.JSON.createObjectNode().put("type", "response.cancel"));
        }

        /** On the lane of a stream, if it runs yet. */
        private void send(String id, ObjectNode message) {
            running.forEach((lane, stream) -> {
                if (stream.id().equals(id)) {
                    socket.send(message.put(STREAM_ID, lane).toString());
                }
            });
        }

        void message(String text, long nowNs) {
            JsonNode event;
            try {
                event = Told.JSON.readTree(text);
            } catch (JsonProcessingException e) {
                listener.garbage("a message that is not JSON: " + Told.head(text), nowNs);
                return;
            }
            if (event == null || !event.isObject()) {
                listener.garbage("a message that is no JSON object: " + Told.head(text), nowNs);
                return;
            }
            String lane = event.path(STREAM_ID).asText("");
            Running stream = running.get(lane);
            String type = event.path("type").asText("");
            if (type.equals("error") || (type.isEmpty() && event.path("error").isObject())) {
                JsonNode error = event.path("error").isObject() ? event.path("error") : event;
                failed(lane, Told.of(error, "http_" + event.path("status").asText("?")), nowNs);
            } else if (stream == null) {
                listener.garbage("an event of no lane that runs: " + Told.head(text), nowNs);
            } else {
                stream.reader().event("", event, nowNs);
                if (stream.reader().terminal()) {
                    ended(lane);
                    stream.reader().bodyEnded(nowNs);
                } else if (stream.reader().ended()) { // it could not be read any further
                    ended(lane);
                }
            }
        }

        /** An error of a lane, or, if it names none, of the connection and so of all that run on it. */
        private void failed(String lane, Told told, long nowNs) {
            List<String> lanes = lane.isEmpty() ? List.copyOf(running.keySet()) : List.of(lane);
            for (String each : lanes) {
                Running stream = running.get(each);
                if (stream != null) {
                    ended(each);
                    stream.reader().fail(told.code(), told.message(), nowNs);
                }
            }
        }

        private void ended(String lane) {
            running.remove(lane);
            free.add(lane);
        }

        @Override
        public void watch() {
            throw new IllegalStateException("nothing to watch on OpenAI's wires");
        }

        @Override
        public void pauseReading(boolean pause) {
            socket.pauseReading(pause);
        }

        @Override
        public void vanish() {
            socket.vanish();
        }

        @Override
        public void close() {
            socket.close();
        }
    }
}
