package dev.tidestream.server.weights;

import java.io.IOException;
import java.util.Map;
import java.util.OptionalLong;

import com.fasterxml.jackson.core.JsonGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.tidestream.protocol.ServerTexts;
import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.admin.UpdatesDesk.Committed;
import dev.tidestream.server.admin.UpdatesDesk.PartKept;
import dev.tidestream.server.admin.UpdatesDesk.UpdateState;
import dev.tidestream.server.admin.VersionsDesk.Verified;
import dev.tidestream.server.admin.VersionsDesk.VersionInfo;
import dev.tidestream.server.transport.endpoint.Exchange;
import dev.tidestream.server.transport.endpoint.RequestRefusedException;
import dev.tidestream.server.transport.http.HttpError;
import dev.tidestream.server.transport.http.JsonAnswer;

/** What is answered, as JSON. Event loop. */
public final class WeightAnswers {
    private static final Logger log = LoggerFactory.getLogger(WeightAnswers.class);
    private static final int BAD_REQUEST = 400;
    private static final int NOT_FOUND = 404;
    private static final int CONFLICT = 409;
    private static final int GONE = 410;
    private static final int TOO_LARGE = 413;
    private static final int FAULT = 500;
    private static final int UNAVAILABLE = 503;
    private static final int NO_ROOM = 507;

    private WeightAnswers() {}

    private static int status(AdminErrorCode code) {
        return switch (code) {
            case UNKNOWN_UPDATE, UNKNOWN_VERSION, UNKNOWN_ADAPTER -> NOT_FOUND;
            case STALE_BASE_VERSION, UPDATE_CONFLICT, TIE_CONFLICT, TRIAL_CONFLICT, INCOMPLETE, NO_DATA_DIR, NO_TIED_WEIGHTS,
                    ADAPTER_EXISTS, TOO_MANY_ADAPTERS -> CONFLICT;
            case VERSION_GONE -> GONE;
            case TOO_MANY_BYTES -> TOO_LARGE;
            case DISK_FULL, BUDGET_EXCEEDED -> NO_ROOM;
            case BUSY, TOO_MANY_VERSIONS, NO_QUORUM, SHUTTING_DOWN -> UNAVAILABLE;
            case INTERNAL -> FAULT;
            case UNAUTHORIZED, MALFORMED_JSON, UNKNOWN_TYPE, UNKNOWN_FIELD, MISSING_FIELD, INVALID_TYPE, INVALID_VALUE, FRAME_TOO_LARGE,
                    UNEXPECTED_BINARY, VERIFICATION_FAILED, NON_FINITE, INVALID_SHAPE, INVALID_DTYPE, INVALID_LENGTH, CHECKSUM_MISMATCH,
                    UNKNOWN_TENSOR, INVALID_PATH, INVALID_FILE, INVALID_ADAPTER -> BAD_REQUEST;
        };
    }

    /** The code of an error; a base version that is not current has the name that trainers know. */
    private static String name(AdminErrorCode code) {
        return code == AdminErrorCode.STALE_BASE_VERSION ? "base_version_conflict" : code.wireName();
    }

    /**
     * Answers that a call has failed.
     *
     * @param current the version that is served
     */
    public static void refuse(Exchange exchange, Throwable cause, long current) {
        switch (cause) {
            case RequestRefusedException refused -> exchange.refuse(refused.error());
            case AdminException e when e.code() == AdminErrorCode.INTERNAL -> {
                log.error("a request about weights failed: path={}", exchange.request().path(), e);
                exchange.refuse(HttpError.of(FAULT, "internal", ServerTexts.FAULT));
            }
            case AdminException e -> {
                HttpError error = HttpError.of(status(e.code()), name(e.code()), String.valueOf(e.getMessage()));
                if (error.status() == CONFLICT) {
                    exchange.response().putHeader("x-should-retry", "false");
                }
                if (e.code() == AdminErrorCode.STALE_BASE_VERSION) {
                    exchange.note(error);
                    exchange.answer(error.status(), json -> {
                        error.body().writeTo(json);
                        json.writeNumberField("current", current);
                    });
                } else {
                    exchange.refuse(error);
                }
            }
            default -> {
                log.error("a request about weights failed: path={}", exchange.request().path(), cause);
                exchange.refuse(HttpError.of(FAULT, "internal", ServerTexts.FAULT));
            }
        }
    }

    static JsonAnswer.Body of(UpdateState state) {
        return json -> {
            json.writeStringField("update_id", state.updateId());
            json.writeStringField("state", state.version().isPresent() ? "committed" : "open");
            json.writeNumberField("base_version", state.baseVersion());
            json.writeStringField("label", state.label());
            writeIf(json, "version", state.version());
            if (state.version().isEmpty()) {
                json.writeArrayFieldStart("parts");
                for (PartKept part : state.parts()) {
                    json.writeStartObject();
                    json.writeNumberField("part", part.number());
                    json.writeNumberField("bytes", part.bytes());
                    json.writeStringField("sha256", part.sha256());
                    json.writeEndObject();
                }
                json.writeEndArray();
            }
        };
    }

    static JsonAnswer.Body of(Committed committed) {
        return json -> {
            json.writeNumberField("version", committed.version());
            json.writeStringField("label", committed.label());
            json.writeNumberField("bytes", committed.bytes());
            json.writeBooleanField("repeated", committed.repeated());
            json.writeBooleanField("held", committed.held());
            json.writeObjectFieldStart("changed");
            for (Map.Entry<String, Long> tensor : committed.changed().entrySet()) {
                json.writeNumberField(tensor.getKey(), tensor.getValue());
            }
            json.writeEndObject();
        };
    }

    static void write(VersionInfo version, JsonGenerator json) throws IOException {
        json.writeNumberField("version", version.version());
        writeIf(json, "parent", version.parent());
        json.writeStringField("kind", version.kind());
        json.writeStringField("label", version.label());
        if (!version.updateId().isEmpty()) {
            json.writeStringField("update_id", version.updateId());
        }
        if (version.created().isPresent()) {
            json.writeStringField("created", version.created().get().toString());
        }
        writeIf(json, "to_version", version.to());
        json.writeNumberField("bytes", version.bytes());
        json.writeBooleanField("live", version.live());
        json.writeBooleanField("current", version.current());
        json.writeBooleanField("held", version.held());
        json.writeNumberField("pins", version.pins());
        if (version.gone()) {
            json.writeBooleanField("gone", true);
        }
        json.writeArrayFieldStart("tensors");
        for (String tensor : version.tensors()) {
            json.writeString(tensor);
        }
        json.writeEndArray();
    }

    static JsonAnswer.Body of(VersionInfo version) {
        return json -> {
            write(version, json);
            json.writeObjectFieldStart("checksums");
            for (Map.Entry<String, String> tensor : version.checksums().entrySet()) {
                json.writeStringField(tensor.getKey(), tensor.getValue());
            }
            json.writeEndObject();
        };
    }

    static JsonAnswer.Body of(Verified verified) {
        return json -> {
            json.writeNumberField("version", verified.version());
            json.writeBooleanField("sound", verified.isSound());
            json.writeNumberField("tensors", verified.tensors());
            json.writeNumberField("bytes", verified.bytes());
            json.writeStringField("derived", verified.derived());
            json.writeArrayFieldStart("different");
            for (String tensor : verified.different()) {
                json.writeString(tensor);
            }
            json.writeEndArray();
        };
    }

    private static void writeIf(JsonGenerator json, String name, OptionalLong value) throws IOException {
        if (value.isPresent()) {
            json.writeNumberField(name, value.getAsLong());
        }
    }
}
