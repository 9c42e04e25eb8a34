package dev.tidestream.protocol;

import java.io.IOException;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.JsonNode;
import org.jspecify.annotations.Nullable;

/**
 * From a text frame to the fields of its JSON object, for codecs; safe for use by any thread. The tree is judged later, so that
 * a wrong field never hides the field that names what the message is about ({@code id}, {@code ref}); a frame that is not JSON
 * is scanned once more for it, before the point where it breaks.
 */
public final class FrameReader {
    private static final int MAX_DEPTH = 8;
    private static final int MAX_NAME_CHARS = 256;

    private final int maxChars;
    private final String idName;
    private final JsonInput json;

    /**
     * @param maxChars longest frame, in UTF-16 code units
     * @param maxFields most fields of a frame, those of all objects together
     * @param idName name of the field that errors repeat
     */
    public FrameReader(int maxChars, int maxFields, String idName) {
        this.maxChars = maxChars;
        this.idName = idName;
        this.json = new JsonInput(maxChars, MAX_DEPTH, maxFields, MAX_NAME_CHARS);
    }

    JsonFactory factory() {
        return json.factory();
    }

    /** What the frame is about, if it stands in this head of it; for frames too large or too broken to be read. */
    public @Nullable String peek(String head) {
        try (JsonParser parser = json.parser(head)) {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                return null;
            }
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                boolean isId = parser.currentName().equals(idName);
                JsonToken value = parser.nextToken();
                if (isId) {
                    return value == JsonToken.VALUE_STRING && isId(parser.getText()) ? parser.getText() : null;
                }
                parser.skipChildren();
            }
            return null;
        } catch (IOException e) {
            return null; // it broke before an id was seen; the caller reports why
        }
    }

    /** The complaint about a type that no message has. */
    public static ProtocolException unknownType(Fields message, String type) {
        return message.error(ErrorCode.UNKNOWN_TYPE, "type", "unknown type: \"" + Fields.clean(type) + "\"");
    }

    /** The fields of the one object that the frame must be. */
    public Fields read(String frame) throws ProtocolException {
        if (frame.length() > maxChars) {
            throw new ProtocolException(
                    ErrorCode.FRAME_TOO_LARGE,
                    null,
                    "message too large: chars=" + frame.length() + ", limit=" + maxChars,
                    null);
        }
        JsonNode root;
        try {
            root = json.tree(frame);
        } catch (JsonInput.TooManyFieldsException e) {
            throw new ProtocolException(ErrorCode.FRAME_TOO_LARGE, null, String.valueOf(e.getOriginalMessage()), peek(frame));
        } catch (JsonProcessingException e) {
            throw malformed(Fields.clean(String.valueOf(e.getOriginalMessage()), 160) + position(e), peek(frame));
        }
        if (!root.isObject()) {
            throw malformed(root.isMissingNode() ? "empty frame" : "not an object", null);
        }
        JsonNode id = root.get(idName);
        return new Fields(root, "", id != null && id.isTextual() && isId(id.textValue()) ? id.textValue() : null);
    }

    private static ProtocolException malformed(String detail, @Nullable String id) {
        return new ProtocolException(ErrorCode.MALFORMED_JSON, null, "the frame is not one JSON object: " + detail, id);
    }

    private static String position(JsonProcessingException e) {
        return e.getLocation() == null ? "" : " (at character " + e.getLocation().getCharOffset() + ")";
    }

    /** The {@code type} of a message. */
    public static String type(Fields message) throws ProtocolException {
        if (!message.has("type")) {
            throw message.error(ErrorCode.UNKNOWN_TYPE, "type", "missing field: type");
        }
        JsonNode type = message.required("type");
        if (!type.isTextual()) {
            throw message.wrongType("type", "a string", type);
        }
        return type.textValue();
    }

    private static boolean isId(String text) {
        return !text.isEmpty() && text.length() <= Protocol.MAX_ID_CHARS && Fields.isWellFormed(text);
    }
}
