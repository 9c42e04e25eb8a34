package dev.tidestream.server.cluster.wire;

import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.protocol.JsonInput;

/** Frames as text and back, many in one message. Any thread. */
public final class ClusterCodec {
    private static final int MAX_DEPTH = 8;
    private static final int MAX_FIELDS = 1 << 16;
    private static final int MAX_NAME_CHARS = 64;
    private static final String START = "start";
    private static final String CREDIT = "credit";
    private static final String STOP = "stop";
    private static final String CANCEL = "cancel";
    private static final String HELLO = "hello";
    private static final String DRAIN = "drain";
    private static final String FAULT = "fault";
    private static final String FAILED = "f";

    private final ObjectMapper json = new ObjectMapper();
    private final JsonInput input;
    private final RequestJson requests;

    /**
     * A codec.
     *
     * @param maxChars longest message that is read
     * @param names of accounts and connections, for requests that are written
     */
    public ClusterCodec(int maxChars, Function<Object, String> names) {
        this.input = new JsonInput(maxChars, MAX_DEPTH, MAX_FIELDS, MAX_NAME_CHARS);
        this.requests = new RequestJson(names);
    }

    /** What a gateway says. */
    public String encodeGateway(List<GatewayFrame> frames) {
        return array(g -> {
            for (GatewayFrame frame : frames) {
                g.writeStartArray();
                switch (frame) {
                    case GatewayFrame.Start s -> {
                        head(g, START, s.id());
                        g.writeNumber(s.demand());
                        requests.write(g, s.request());
                    }
                    case GatewayFrame.Credit c -> {
                        head(g, CREDIT, c.id());
                        g.writeNumber(c.events());
                    }
                    case GatewayFrame.Stop s -> head(g, STOP, s.id());
                    case GatewayFrame.Cancel c -> head(g, CANCEL, c.id());
                }
                g.writeEndArray();
            }
        });
    }

    private static void head(JsonGenerator g, String kind, long id) throws IOException {
        g.writeString(kind);
        g.writeNumber(id);
    }

    /** What a worker says. */
    public String encodeWorker(List<WorkerFrame> frames) {
        return array(g -> {
            for (WorkerFrame frame : frames) {
                g.writeStartArray();
                switch (frame) {
                    case WorkerFrame.Hello h -> {
                        g.writeString(HELLO);
                        g.writeString(h.node());
                        g.writeString(h.model());
                    }
                    case WorkerFrame.Drain d -> g.writeString(DRAIN);
                    case WorkerFrame.Event e -> {
                        g.writeNumber(e.id());
                        EventJson.write(g, e.event());
                    }
                    case WorkerFrame.Failed f -> {
                        g.writeNumber(f.id());
                        g.writeString(FAILED);
                        g.writeString(f.code().name());
                        g.writeString(f.message());
                    }
                    case WorkerFrame.Fault f -> {
                        g.writeString(FAULT);
                        g.writeString(f.message());
                    }
                }
                g.writeEndArray();
            }
        });
    }

    private interface Writing {
        void to(JsonGenerator g) throws IOException;
    }

    private String array(Writing frames) {
        StringWriter out = new StringWriter();
        try (JsonGenerator g = json.getFactory().createGenerator(out)) {
            g.writeStartArray();
            frames.to(g);
            g.writeEndArray();
        } catch (IOException e) {
            throw new UncheckedIOException("a string does no I/O", e);
        }
        return out.toString();
    }

    /** @throws WireException if a gateway says no such thing */
    public List<GatewayFrame> decodeGateway(String text) throws WireException {
        List<GatewayFrame> frames = new ArrayList<>();
        for (JsonNode frame : tree(text)) {
            long id = id(frame.path(1));
            frames.add(switch (frame.path(0).asText()) {
                case START -> new GatewayFrame.Start(id, number(frame.path(2), 0), RequestJson.read(frame.path(3)));
                case CREDIT -> new GatewayFrame.Credit(id, number(frame.path(2), 1));
                case STOP -> new GatewayFrame.Stop(id);
                case CANCEL -> new GatewayFrame.Cancel(id);
                default -> throw new WireException("no frame of this kind is known: " + frame.path(0));
            });
        }
        return frames;
    }

    /** @throws WireException if a worker says no such thing */
    public List<WorkerFrame> decodeWorker(String text) throws WireException {
        List<WorkerFrame> frames = new ArrayList<>();
        for (JsonNode frame : tree(text)) {
            frames.add(frame.path(0).isTextual() ? ofConnection(frame) : ofStream(frame));
        }
        return frames;
    }

    private static WorkerFrame ofConnection(JsonNode frame) throws WireException {
        return switch (frame.path(0).asText()) {
            case HELLO -> new WorkerFrame.Hello(frame.path(1).asText(), frame.path(2).asText());
            case DRAIN -> new WorkerFrame.Drain();
            case FAULT -> new WorkerFrame.Fault(frame.path(1).asText());
            default -> throw new WireException("no frame of this kind is known: " + frame.path(0));
        };
    }

    private static WorkerFrame ofStream(JsonNode frame) throws WireException {
        long id = id(frame.path(0));
        if (!frame.path(1).asText().equals(FAILED)) {
            return new WorkerFrame.Event(id, EventJson.read(frame));
        }
        try {
            return new WorkerFrame.Failed(id, ErrorCode.valueOf(frame.path(2).asText()), frame.path(3).asText());
        } catch (IllegalArgumentException e) {
            throw new WireException("no error of this code is known: " + frame.path(2), e);
        }
    }

    private JsonNode tree(String text) throws WireException {
        try {
            JsonNode tree = input.tree(text);
            if (!tree.isArray()) {
                throw new WireException("a message must be an array of frames");
            }
            return tree;
        } catch (JsonProcessingException e) {
            throw new WireException("a message must be JSON within the bounds: " + e.getOriginalMessage(), e);
        }
    }

    private static long id(JsonNode node) throws WireException {
        return number(node, 1);
    }

    private static long number(JsonNode node, long least) throws WireException {
        if (!node.isIntegralNumber() || !node.canConvertToLong() || node.longValue() < least) {
            throw new WireException("a number must be an integer of at least %d: %s".formatted(least, node));
        }
        return node.longValue();
    }
}
