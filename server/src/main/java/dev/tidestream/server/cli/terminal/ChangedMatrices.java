package dev.tidestream.server.cli.terminal;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;

import com.fasterxml.jackson.core.JsonGenerator;

import dev.tidestream.console.Printable;
import dev.tidestream.model.quantisation.ChangedMatrix;

/** What became of matrices that were brought into other formats, for people and for programs. */
public final class ChangedMatrices {
    private static final int NAME_CHARS = 72;

    private ChangedMatrices() {}

    /** A line for each. */
    public static void print(List<ChangedMatrix> changed, PrintWriter out) {
        Table table = new Table("MATRIX", "FROM", "TO", ">LARGEST ERROR", ">RMS ERROR");
        for (ChangedMatrix one : changed) {
            table.row(Printable.value(one.name(), NAME_CHARS), one.from(), one.to(),
                    String.format(Locale.ROOT, "%.3g", one.error().maxAbs()), String.format(Locale.ROOT, "%.3g", one.error().rms()));
        }
        table.print(out);
    }

    /** The field {@code changed}: an array of objects. */
    public static void write(JsonGenerator json, List<ChangedMatrix> changed) throws IOException {
        json.writeArrayFieldStart("changed");
        for (ChangedMatrix one : changed) {
            json.writeStartObject();
            json.writeStringField("name", one.name());
            json.writeStringField("from", one.from().name());
            json.writeStringField("to", one.to().name());
            json.writeNumberField("max_abs_error", one.error().maxAbs());
            json.writeNumberField("rms_error", one.error().rms());
            json.writeEndObject();
        }
        json.writeEndArray();
    }
}
