package dev.tidestream.server.cli.terminal;

import java.io.IOException;
import java.io.StringWriter;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;

import dev.tidestream.console.Printable;

/** What commands print with {@code --json}: one object in one line. */
public final class JsonText {
    private static final JsonFactory FACTORY = new JsonFactory();

    private JsonText() {}

    /** Writes the fields of an object. */
    public interface Body {
        void writeTo(JsonGenerator json) throws IOException;
    }

    /** An object with these fields. */
    public static String object(Body body) {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = FACTORY.createGenerator(text)) {
            json.writeStartObject();
            body.writeTo(json);
            json.writeEndObject();
        } catch (IOException e) {
            throw new AssertionError("a StringWriter does no I/O", e);
        }
        return Printable.line(text.toString()); // an escape of ours is one of JSON
    }

    /** A field that is an array of integers. */
    public static void integers(JsonGenerator json, String name, int[] values) throws IOException {
        json.writeFieldName(name);
        json.writeArray(values, 0, values.length);
    }
}
