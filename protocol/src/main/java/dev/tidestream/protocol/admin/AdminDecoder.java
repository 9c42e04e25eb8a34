package dev.tidestream.protocol.admin;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

import com.fasterxml.jackson.databind.JsonNode;
import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.protocol.Fields;
import dev.tidestream.protocol.FrameReader;
import dev.tidestream.protocol.Protocol;
import dev.tidestream.protocol.ProtocolException;

/** From the fields of a frame to the message; requests strictly. */
final class AdminDecoder {
    private static final Set<String> HEAD = Set.of("type", "ref");
    private static final Set<String> SET = Set.of("type", "ref", "mode", "optimize_for_inference", "verify");
    private static final Set<String> ROLLBACK = Set.of("type", "ref", "to_version");
    private static final Set<String> ADAPTER_LOAD = Set.of("type", "ref", "name", "path");
    private static final Set<String> ADAPTER_UNLOAD = Set.of("type", "ref", "name");
    private static final Set<String> UPDATE = Set.of(
            "type", "ref", "update_id", "base_version", "tensor", "kind", "shape", "dtype", "sha256", "byte_length", "rank", "path");
    static final Pattern SHA_256 = Pattern.compile("[0-9a-f]{64}");

    private AdminDecoder() {}

    static AdminRequest request(String type, Fields m) throws ProtocolException, AdminProtocolException {
        return switch (type) {
            case "optimization.set" -> optimizationSet(m);
            case "optimization.status" -> new AdminRequest.OptimizationStatus(onlyRef(m));
            case "weights.update" -> update(m);
            case "weights.open_update" -> UpdateDecoder.open(m);
            case "weights.part" -> UpdateDecoder.part(m);
            case "weights.commit_update" -> UpdateDecoder.commit(m);
            case "weights.abort_update" -> new AdminRequest.AbortUpdate(ref(m), UpdateDecoder.only(m));
            case "weights.update_state" -> new AdminRequest.UpdateState(ref(m), UpdateDecoder.only(m));
            case "weights.rollback" -> {
                m.allowOnly(ROLLBACK);
                yield new AdminRequest.WeightsRollback(ref(m), m.longInteger("to_version", 1, Long.MAX_VALUE));
            }
            case "weights.status" -> new AdminRequest.WeightsStatus(onlyRef(m));
            case "weights.history" -> new AdminRequest.WeightsHistory(onlyRef(m));
            case "stats" -> new AdminRequest.Stats(onlyRef(m));
            case "streams" -> new AdminRequest.Streams(onlyRef(m));
            case "adapters.load" -> {
                m.allowOnly(ADAPTER_LOAD);
                yield new AdminRequest.AdapterLoad(ref(m), m.text("name", 1, Protocol.MAX_ID_CHARS),
                        m.text("path", 1, AdminProtocol.MAX_PATH_CHARS));
            }
            case "adapters.unload" -> {
                m.allowOnly(ADAPTER_UNLOAD);
                yield new AdminRequest.AdapterUnload(ref(m), m.text("name", 1, Protocol.MAX_ID_CHARS));
            }
            case "adapters.status" -> new AdminRequest.AdapterStatus(onlyRef(m));
            default -> throw FrameReader.unknownType(m, type);
        };
    }

    static String ref(Fields m) throws ProtocolException {
        return m.text("ref", 1, AdminProtocol.MAX_REF_CHARS);
    }

    private static String onlyRef(Fields m) throws ProtocolException {
        m.allowOnly(HEAD);
        return ref(m);
    }

    private static AdminRequest optimizationSet(Fields m) throws ProtocolException {
        m.allowOnly(SET);
        String ref = ref(m);
        if (m.has("mode") && m.has("optimize_for_inference")) {
            throw m.error(ErrorCode.INVALID_VALUE, "mode", "mode and optimize_for_inference: give one of them, not both");
        }
        OptimizationMode mode;
        if (m.has("optimize_for_inference")) {
            mode = m.bool("optimize_for_inference") ? OptimizationMode.PACKED : OptimizationMode.TRANSPOSE_PER_STEP;
        } else {
            mode = constant(m, "mode", OptimizationMode.values(), OptimizationMode::wireName);
        }
        return new AdminRequest.OptimizationSet(ref, mode, !m.has("verify") || m.bool("verify"));
    }

    private static AdminRequest update(Fields m) throws ProtocolException, AdminProtocolException {
        m.allowOnly(UPDATE);
        String ref = ref(m);
        String updateId = m.text("update_id", 1, AdminProtocol.MAX_REF_CHARS);
        long baseVersion = m.longInteger("base_version", 1, Long.MAX_VALUE);
        String tensor = m.text("tensor", 1, AdminProtocol.MAX_TENSOR_CHARS);
        UpdateKind kind = constant(m, "kind", UpdateKind.values(), UpdateKind::wireName);
        List<Long> shape = shape(m, kind, ref);
        PayloadType dtype = dtype(m, ref);
        String sha256 = m.text("sha256", 0, AdminProtocol.MAX_REQUEST_CHARS);
        if (!SHA_256.matcher(sha256).matches()) {
            throw m.outOfRange("sha256", "64 lower-case hexadecimal digits", m.required("sha256"));
        }
        OptionalInt rank = rank(m, kind);
        return new AdminRequest.WeightsUpdate(
                ref, updateId, baseVersion, tensor, kind, shape, dtype, sha256, byteLength(m, kind, shape, dtype, rank, ref), rank,
                m.has("path") ? m.text("path", 1, AdminProtocol.MAX_PATH_CHARS) : null);
    }

    private static List<Long> shape(Fields m, UpdateKind kind, String ref) throws ProtocolException, AdminProtocolException {
        JsonNode array = m.required("shape");
        if (!array.isArray()) {
            throw m.wrongType("shape", "an array of integers", array);
        }
        boolean matrix = switch (kind) {
            case REPLACE, DELTA -> false;
            case ROWS, LOW_RANK -> true;
        };
        if (array.isEmpty() || array.size() > AdminProtocol.MAX_DIMENSIONS || (matrix && array.size() != 2)) {
            throw new AdminProtocolException(
                    AdminErrorCode.INVALID_SHAPE,
                    "shape",
                    "shape must have %s dimensions for kind %s: dimensions=%d"
                            .formatted(matrix ? "2" : "1.." + AdminProtocol.MAX_DIMENSIONS, kind.wireName(), array.size()),
                    ref);
        }
        List<Long> shape = new ArrayList<>(array.size());
        for (JsonNode dimension : array) {
            shape.add(m.integer("shape[" + shape.size() + "]", dimension, 1, Integer.MAX_VALUE));
        }
        return shape;
    }

    private static PayloadType dtype(Fields m, String ref) throws ProtocolException, AdminProtocolException {
        String name = m.text("dtype", 0, AdminProtocol.MAX_REQUEST_CHARS);
        PayloadType type = AdminCodec.find(PayloadType.values(), PayloadType::wireName, name);
        if (type == null) {
            throw new AdminProtocolException(
                    AdminErrorCode.INVALID_DTYPE,
                    "dtype",
                    String.valueOf(m.outOfRange("dtype", "one of " + names(PayloadType.values(), PayloadType::wireName),
                            m.required("dtype")).getMessage()),
                    ref);
        }
        return type;
    }

    private static OptionalInt rank(Fields m, UpdateKind kind) throws ProtocolException {
        if (kind == UpdateKind.LOW_RANK) {
            return OptionalInt.of(m.integer("rank", 1, Integer.MAX_VALUE));
        }
        if (m.has("rank")) {
            throw m.error(ErrorCode.INVALID_VALUE, "rank", "rank is for kind low_rank only: kind=" + kind.wireName());
        }
        return OptionalInt.empty();
    }

    private static long byteLength(Fields m, UpdateKind kind, List<Long> shape, PayloadType dtype, OptionalInt rank, String ref)
            throws ProtocolException, AdminProtocolException {
        long byteLength = m.longInteger("byte_length", 1, Long.MAX_VALUE);
        long expected;
        try {
            expected = kind.payloadBytes(shape, dtype, rank.orElse(0));
        } catch (ArithmeticException e) {
            throw new AdminProtocolException(
                    AdminErrorCode.INVALID_SHAPE, "shape", "shape is too large: " + shape + ", dtype=" + dtype.wireName(), ref);
        }
        if (byteLength != expected) {
            throw new AdminProtocolException(
                    AdminErrorCode.INVALID_LENGTH,
                    "byte_length",
                    "byte_length must be what kind, shape and dtype make: byte_length=%d, expected=%d".formatted(byteLength, expected),
                    ref);
        }
        return byteLength;
    }

    private static <E extends Enum<E>> E constant(Fields m, String name, E[] constants, Function<E, String> wireName)
            throws ProtocolException {
        E constant = AdminCodec.find(constants, wireName, m.text(name, 0, AdminProtocol.MAX_REQUEST_CHARS));
        if (constant == null) {
            throw m.outOfRange(name, "one of " + names(constants, wireName), m.required(name));
        }
        return constant;
    }

    private static <E extends Enum<E>> String names(E[] constants, Function<E, String> wireName) {
        return Arrays.stream(constants).map(wireName).collect(Collectors.joining(", "));
    }

    static AdminReply reply(String type, Fields m) throws ProtocolException {
        return switch (type) {
            case "ack" -> new AdminReply.Ack(ref(m), m.longInteger("weights_version", 1, Long.MAX_VALUE), details(m));
            case "failed" -> new AdminReply.Failed(
                    m.has("ref") ? ref(m) : null,
                    constant(m, "code", AdminErrorCode.values(), AdminErrorCode::wireName),
                    m.text("message", 0, Integer.MAX_VALUE));
            case "progress" -> new AdminReply.Progress(
                    ref(m),
                    m.text("stage", 1, AdminProtocol.MAX_REF_CHARS),
                    m.longInteger("done", 0, Long.MAX_VALUE),
                    m.longInteger("of", 0, Long.MAX_VALUE));
            default -> throw FrameReader.unknownType(m, type);
        };
    }

    private static Map<String, Object> details(Fields m) throws ProtocolException {
        Map<String, Object> details = new LinkedHashMap<>();
        for (String name : m.names()) {
            if (!ResultFields.RESERVED.contains(name)) {
                JsonNode node = m.required(name);
                Object value = value(node);
                if (value == null) {
                    throw m.wrongType(m.path(name), "a value without null, infinities and integers beyond 64 bits", node);
                }
                details.put(name, value);
            }
        }
        return details;
    }

    private static @Nullable Object value(JsonNode node) {
        return switch (node.getNodeType()) {
            case STRING -> node.textValue();
            case BOOLEAN -> node.booleanValue();
            case NUMBER -> number(node);
            case ARRAY -> {
                List<Object> list = new ArrayList<>(node.size());
                for (JsonNode element : node) {
                    Object value = value(element);
                    if (value == null) {
                        yield null;
                    }
                    list.add(value);
                }
                yield list;
            }
            case OBJECT -> {
                Map<String, Object> map = new LinkedHashMap<>();
                for (var property : node.properties()) {
                    Object value = value(property.getValue());
                    if (value == null) {
                        yield null;
                    }
                    map.put(property.getKey(), value);
                }
                yield map;
            }
            case BINARY, MISSING, NULL, POJO -> null;
        };
    }

    private static @Nullable Object number(JsonNode node) {
        if (node.isIntegralNumber()) {
            return node.canConvertToLong() ? (Object) node.longValue() : null;
        }
        return Double.isFinite(node.doubleValue()) ? (Object) node.doubleValue() : null;
    }
}
