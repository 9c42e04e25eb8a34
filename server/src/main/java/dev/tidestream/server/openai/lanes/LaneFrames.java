package dev.tidestream.server.openai.lanes;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

import com.fasterxml.jackson.databind.JsonNode;
import org.jspecify.annotations.Nullable;

import dev.tidestream.server.openai.lanes.LaneFrame.Cancel;
import dev.tidestream.server.openai.lanes.LaneFrame.Create;
import dev.tidestream.server.openai.lanes.LaneFrame.Credit;
import dev.tidestream.server.openai.lanes.LaneFrame.Refused;
import dev.tidestream.server.openai.wire.BadRequestException;
import dev.tidestream.server.openai.wire.JsonBytes;
import dev.tidestream.server.openai.wire.RequestFields;
import dev.tidestream.server.openai.wire.RequestReader;
import dev.tidestream.server.tracing.RequestTrace;
import dev.tidestream.server.transport.http.HttpError;
import dev.tidestream.server.transport.http.JsonAnswer;

/** Messages of both directions that are not events of a response. Any thread. */
final class LaneFrames {
    private static final int BAD_REQUEST = 400;
    private static final String STREAM_ID = "stream_id";
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_.-]{1,256}");
    private static final Pattern NAME_IN_TEXT = Pattern.compile("\"stream_id\"\\s*:\\s*\"([A-Za-z0-9_.-]{1,256})\"");

    private final RequestReader reader;

    LaneFrames(RequestReader reader) {
        this.reader = reader;
    }

    /** Reads a message. */
    LaneFrame read(String text) {
        String lane = null;
        try {
            RequestFields fields = reader.read(text);
            JsonNode name = fields.get(STREAM_ID);
            if (name != null && !(name.isTextual() && NAME.matcher(name.textValue()).matches())) {
                return new Refused(null, HttpError.of(BAD_REQUEST, "invalid_stream_id", STREAM_ID,
                        "stream_id must be 1 to 256 letters, digits, '_', '.' or '-': " + JsonAnswer.shown(name.toString())));
            }
            lane = name == null ? null : name.textValue();
            return frame(fields, lane, text);
        } catch (BadRequestException e) {
            return new Refused(lane, e.error());
        }
    }

    private static LaneFrame frame(RequestFields fields, @Nullable String lane, String text) throws BadRequestException {
        String type = fields.text("type");
        return switch (type) {
            case "response.create" -> {
                JsonNode previous = fields.get("previous_response_id");
                yield new Create(lane, previous != null && previous.isTextual() ? previous.textValue() : null, trace(fields), text);
            }
            case "response.cancel" -> new Cancel(lane, fields.text("response_id"));
            case "tidestream.credit" -> {
                fields.required("n");
                yield new Credit(lane, fields.integer("n", 1, Integer.MAX_VALUE, 1));
            }
            case "response.steer" -> new Refused(lane, HttpError.of(BAD_REQUEST, "unsupported_event", "type",
                    "response.steer: a response that is being made takes no more input; send response.cancel and a new response.create"));
            case null -> throw new BadRequestException(HttpError.of(BAD_REQUEST, "missing_field", "type", "missing field: type"));
            default -> new Refused(
                    lane, HttpError.of(BAD_REQUEST, "unknown_type", "type", "no such type of message: " + JsonAnswer.shown(type)));
        };
    }

    private static @Nullable RequestTrace trace(RequestFields fields) throws BadRequestException {
        String parent = fields.text(RequestTrace.PARENT);
        return parent == null ? null : RequestTrace.of(parent, fields.text(RequestTrace.STATE));
    }

    /** The lane of a message of which only the beginning is there; null if that does not say. */
    static @Nullable String laneOf(String head) {
        Matcher name = NAME_IN_TEXT.matcher(head);
        return name.find() ? name.group(1) : null;
    }

    /** An error: as one kind of client reads it, in an object, and as another does, flat. */
    static String error(@Nullable String lane, HttpError error) {
        JsonBytes out = new JsonBytes().raw("{\"type\":\"error\",\"status\":").number(error.status());
        if (lane != null) {
            out.raw(",\"stream_id\":").string(lane);
        }
        fields(out.raw(","), error).raw(",\"error\":{\"type\":").string(error.type()).raw(",");
        return fields(out, error).raw("}}").toText();
    }

    private static JsonBytes fields(JsonBytes out, HttpError error) {
        orNull(out.raw("\"code\":"), error.code()).raw(",\"message\":").string(error.message()).raw(",\"param\":");
        return orNull(out, error.param());
    }

    private static JsonBytes orNull(JsonBytes out, @Nullable String text) {
        return text == null ? out.nullValue() : out.string(text);
    }
}
