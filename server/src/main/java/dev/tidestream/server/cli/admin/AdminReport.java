package dev.tidestream.server.cli.admin;

import java.io.PrintWriter;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

import org.jspecify.annotations.Nullable;

import dev.tidestream.console.Printable;
import dev.tidestream.protocol.admin.AdminCodec;
import dev.tidestream.protocol.admin.AdminProtocol;
import dev.tidestream.protocol.admin.AdminReply;
import dev.tidestream.server.cli.terminal.ByteSize;
import dev.tidestream.server.cli.terminal.JsonText;
import dev.tidestream.server.cli.terminal.Table;

/**
 * What a server acknowledged, for people: whatever fields it sent as rows of a table, nested ones with dotted names, and lists of
 * objects as tables of their own. So a newer server's fields are shown, too.
 *
 * @param json the same as the server sent it, one line
 * @param fields strings, booleans, numbers, lists and maps of these
 */
record AdminReport(String json, Map<String, Object> fields) {
    private static final AdminCodec CODEC = new AdminCodec(AdminProtocol.MAX_REQUEST_CHARS);
    private static final int CELL_CHARS = 100;
    private static final int SHOWN_DIGITS = 12;
    private static final MathContext DIGITS = new MathContext(6);

    static AdminReport of(AdminReply.Ack ack) {
        return new AdminReport(CODEC.encode(ack), fields(ack));
    }

    /** Several acks under names of their own. */
    static AdminReport of(Map<String, AdminReply.Ack> acks) {
        Map<String, Object> fields = new LinkedHashMap<>();
        acks.forEach((name, ack) -> fields.put(name, fields(ack)));
        return new AdminReport(JsonText.object(json -> {
            for (Map.Entry<String, AdminReply.Ack> ack : acks.entrySet()) {
                json.writeFieldName(ack.getKey());
                json.writeRawValue(CODEC.encode(ack.getValue()));
            }
        }), fields);
    }

    private static Map<String, Object> fields(AdminReply.Ack ack) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("weights_version", ack.weightsVersion());
        fields.putAll(ack.details());
        return fields;
    }

    void print(PrintWriter out) {
        Map<String, Object> cells = new LinkedHashMap<>();
        flatten("", fields, cells);
        Table table = new Table("FIELD", "VALUE");
        cells.forEach((name, value) -> {
            if (objects(value) == null) {
                table.row(Printable.value(name, CELL_CHARS), cell(name, value));
            }
        });
        table.print(out);
        cells.forEach((name, value) -> {
            List<Map<String, Object>> objects = objects(value);
            if (objects != null) {
                out.println();
                out.println(Printable.value(name, CELL_CHARS) + ":");
                printObjects(objects, out);
            }
        });
    }

    private static void printObjects(List<Map<String, Object>> objects, PrintWriter out) {
        List<Map<String, Object>> rows = new ArrayList<>();
        Set<String> columns = new LinkedHashSet<>();
        for (Map<String, Object> object : objects) {
            Map<String, Object> row = new LinkedHashMap<>();
            flatten("", object, row);
            rows.add(row);
            columns.addAll(row.keySet());
        }
        Table table = new Table(columns.stream().map(name -> heading(name, rows)).toArray(String[]::new));
        for (Map<String, Object> row : rows) {
            table.row(columns.stream().map(name -> shortened(name, cell(name, row.get(name)))).toArray());
        }
        table.print(out);
    }

    private static String heading(String name, List<Map<String, Object>> rows) {
        boolean numbers = rows.stream().map(row -> row.get(name)).allMatch(value -> value == null || value instanceof Number);
        return (numbers ? ">" : "") + Printable.value(name, CELL_CHARS);
    }

    /** A checksum would make a table of many columns too wide; the whole of it is in the JSON. */
    private static String shortened(String name, String cell) {
        return name.endsWith("sha256") && cell.length() > SHOWN_DIGITS ? cell.substring(0, SHOWN_DIGITS) + "…" : cell;
    }

    private static void flatten(String prefix, Map<?, ?> object, Map<String, Object> cells) {
        object.forEach((name, value) -> {
            if (value instanceof Map<?, ?> inner) {
                flatten(prefix + name + ".", inner, cells);
            } else {
                cells.put(prefix + name, value);
            }
        });
    }

    /** The elements of a list of objects, null if the value is anything else. */
    @SuppressWarnings("unchecked") // the keys of an ack's maps are names of JSON fields
    private static @Nullable List<Map<String, Object>> objects(Object value) {
        return value instanceof List<?> list && !list.isEmpty() && list.stream().allMatch(Map.class::isInstance)
                ? (List<Map<String, Object>>) list : null;
    }

    private static String cell(String name, @Nullable Object value) {
        return switch (value) {
            case Long bytes when name.endsWith("_bytes") && bytes >= 1024 -> bytes + " (" + new ByteSize(bytes) + ")";
            case Double number -> number(number);
            case List<?> list -> Printable.value(
                    list.stream().map(element -> cell("", element)).collect(Collectors.joining(", ", "[", "]")), CELL_CHARS);
            case null -> "-";
            default -> Printable.value(value.toString(), CELL_CHARS);
        };
    }

    /** Six digits are enough for people. */
    private static String number(double value) {
        BigDecimal rounded = new BigDecimal(value).round(DIGITS).stripTrailingZeros();
        boolean plain = value == 0 || (Math.abs(value) >= 1e-4 && Math.abs(value) < 1e9);
        return plain ? rounded.toPlainString() : Double.toString(rounded.doubleValue());
    }
}
