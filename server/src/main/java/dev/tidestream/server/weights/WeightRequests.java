package dev.tidestream.server.weights;

import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;
import java.util.regex.Pattern;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import io.vertx.core.buffer.Buffer;
import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.JsonInput;
import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.admin.UpdatesDesk.Opening;
import dev.tidestream.server.admin.UpdatesDesk.Tied;

/** Bodies of requests, read strictly: what is not known is refused by name. */
final class WeightRequests {
    /** Of a body; all are small. */
    static final int MAX_BODY_BYTES = 64 << 10;

    static final Pattern UPDATE_ID = Pattern.compile("[A-Za-z0-9._:-]{1,128}");
    static final Pattern SHA_256 = Pattern.compile("[0-9a-f]{64}");
    private static final int MAX_LABEL_CHARS = 256;
    private static final int MAX_DEPTH = 4;
    private static final int MAX_FIELDS = 64;
    private static final int MAX_NAME_CHARS = 256;
    private static final JsonInput JSON = new JsonInput(MAX_BODY_BYTES, MAX_DEPTH, MAX_FIELDS, MAX_NAME_CHARS);

    private final JsonNode body;

    private WeightRequests(JsonNode body) {
        this.body = body;
    }

    /** @param known names of fields */
    static WeightRequests read(Buffer bytes, Set<String> known) throws AdminException {
        try {
            JsonNode body = JSON.tree(bytes.length() == 0 ? "{}" : bytes.toString(StandardCharsets.UTF_8));
            if (!body.isObject()) {
                throw new AdminException(AdminErrorCode.MALFORMED_JSON, "the body must be a JSON object");
            }
            return known(body, known);
        } catch (JsonProcessingException e) {
            throw new AdminException(AdminErrorCode.MALFORMED_JSON, "the body is not JSON: " + e.getOriginalMessage(), e);
        }
    }

    private static WeightRequests known(JsonNode body, Set<String> known) throws AdminException {
        for (Map.Entry<String, JsonNode> field : body.properties()) {
            if (!known.contains(field.getKey())) {
                throw new AdminException(AdminErrorCode.UNKNOWN_FIELD, "unknown field: '%s'; known=%s".formatted(field.getKey(), known));
            }
        }
        return new WeightRequests(body);
    }

    /** An object within the body; an absent one has no fields. */
    WeightRequests object(String name, Set<String> known) throws AdminException {
        JsonNode value = body.path(name);
        if (!value.isObject() && !value.isMissingNode()) {
            throw new AdminException(AdminErrorCode.INVALID_VALUE, "%s must be an object: %s".formatted(name, value));
        }
        return known(value, known);
    }

    /** A number that may have a fraction; empty if it is absent. */
    OptionalDouble decimal(String name, double min, double max) throws AdminException {
        JsonNode value = body.path(name);
        if (value.isMissingNode()) {
            return OptionalDouble.empty();
        }
        if (!value.isNumber() || !(value.doubleValue() >= min && value.doubleValue() <= max)) {
            throw new AdminException(AdminErrorCode.INVALID_VALUE, "%s must be a number in %s..%s: %s".formatted(name, min, max, value));
        }
        return OptionalDouble.of(value.doubleValue());
    }

    /** @param absent what it is where it is not said */
    boolean flag(String name, boolean absent) throws AdminException {
        JsonNode value = body.path(name);
        if (!value.isBoolean() && !value.isMissingNode()) {
            throw new AdminException(AdminErrorCode.INVALID_VALUE, "%s must be true or false: %s".formatted(name, value));
        }
        return value.asBoolean(absent);
    }

    /** {@code {"update_id", "base_version", "label"?, "tensors"?, "tied"?, "publish"?}}. */
    static Opening opening(Buffer bytes) throws AdminException {
        WeightRequests request = read(bytes, Set.of("update_id", "base_version", "label", "tensors", "tied", "publish"));
        String id = request.text("update_id", null, UPDATE_ID.pattern());
        String label = request.text("label", "", "[^\\p{Cntrl}]{0," + MAX_LABEL_CHARS + "}");
        String tied = request.text("tied", "", "keep|untie|error");
        boolean hold = request.text("publish", "auto", "auto|hold").equals("hold");
        request.number("tensors", 1, 1, Integer.MAX_VALUE);
        return new Opening(id, request.number("base_version", -1, 1, Long.MAX_VALUE), label,
                tied.isEmpty() ? Optional.empty() : Optional.of(Tied.valueOf(tied.toUpperCase(Locale.ROOT))), hold);
    }

    /**
     * What is committed.
     *
     * @param parts how many, if that is said
     */
    record Commit(OptionalInt parts, Optional<String> manifestSha256) {}

    /** {@code {"parts"?, "manifest_sha256"?}}. */
    static Commit commit(Buffer bytes) throws AdminException {
        WeightRequests request = read(bytes, Set.of("parts", "manifest_sha256"));
        int parts = (int) request.number("parts", 0, 1, Integer.MAX_VALUE);
        String manifest = request.text("manifest_sha256", "", SHA_256.pattern());
        return new Commit(parts == 0 ? OptionalInt.empty() : OptionalInt.of(parts),
                manifest.isEmpty() ? Optional.empty() : Optional.of(manifest));
    }

    /** {@code {"to"}}. */
    static long rollback(Buffer bytes) throws AdminException {
        return read(bytes, Set.of("to")).number("to", -1, 1, Long.MAX_VALUE);
    }

    /** @param absent null if it must be there */
    String text(String name, @Nullable String absent, String pattern) throws AdminException {
        JsonNode value = body.path(name);
        if (value.isMissingNode()) {
            if (absent == null) {
                throw missing(name);
            }
            return absent;
        }
        if (!value.isTextual() || !value.textValue().matches(pattern)) {
            throw new AdminException(AdminErrorCode.INVALID_VALUE, "%s must be a string like %s: %s".formatted(name, pattern, value));
        }
        return value.textValue();
    }

    /** @param absent negative if it must be there */
    long number(String name, long absent, long min, long max) throws AdminException {
        JsonNode value = body.path(name);
        if (value.isMissingNode()) {
            if (absent < 0) {
                throw missing(name);
            }
            return absent;
        }
        if (!value.isIntegralNumber() || !value.canConvertToLong() || value.longValue() < min || value.longValue() > max) {
            throw new AdminException(AdminErrorCode.INVALID_VALUE, "%s must be a number in %d..%d: %s".formatted(name, min, max, value));
        }
        return value.longValue();
    }

    static AdminException missing(String name) {
        return new AdminException(AdminErrorCode.MISSING_FIELD, "%s is missing".formatted(name));
    }
}
