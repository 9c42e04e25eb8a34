package dev.tidestream.server.cli.terminal;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

import dev.tidestream.console.Printable;

/** Text in columns: the first row is the heading, numbers stand at the right. A cell is one line, whatever is in it. */
public final class Table {
    private final List<List<String>> rows = new ArrayList<>();
    private final boolean[] rightAligned;

    /** @param heading titles of the columns; one that begins with {@code >} aligns its column at the right */
    public Table(String... heading) {
        rightAligned = new boolean[heading.length];
        List<String> titles = new ArrayList<>(heading.length);
        for (int i = 0; i < heading.length; i++) {
            rightAligned[i] = heading[i].startsWith(">");
            titles.add(rightAligned[i] ? heading[i].substring(1) : heading[i]);
        }
        rows.add(titles);
    }

    /** Adds a line; as many cells as the table has columns. */
    public void row(Object... cells) {
        if (cells.length != rightAligned.length) {
            throw new IllegalArgumentException("cells=%d, columns=%d".formatted(cells.length, rightAligned.length));
        }
        rows.add(IntStream.range(0, cells.length).mapToObj(i -> Printable.line(cells[i].toString())).toList());
    }

    /** Prints all lines, in columns as wide as they need to be. */
    public void print(PrintWriter out) {
        int[] widths = new int[rightAligned.length];
        for (List<String> row : rows) {
            for (int i = 0; i < widths.length; i++) {
                widths[i] = Math.max(widths[i], row.get(i).length());
            }
        }
        for (List<String> row : rows) {
            StringBuilder line = new StringBuilder();
            for (int i = 0; i < widths.length; i++) {
                String gap = " ".repeat(widths[i] - row.get(i).length());
                line.append(i == 0 ? "" : "  ").append(rightAligned[i] ? gap + row.get(i) : row.get(i) + gap);
            }
            out.println(line.toString().stripTrailing());
        }
    }
}
