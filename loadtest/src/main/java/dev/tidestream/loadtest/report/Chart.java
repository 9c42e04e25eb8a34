package dev.tidestream.loadtest.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.DoubleFunction;

/** A chart of lines as inline SVG: axes that begin at round numbers, a legend, points that tell their value when pointed at. */
final class Chart {
    private static final int WIDTH = 760;
    private static final int HEIGHT = 300;
    private static final int LEFT = 70;
    private static final int RIGHT = 20;
    private static final int TOP = 34;
    private static final int BOTTOM = 46;
    private static final int TICKS = 5;

    /** How values lie along an axis. */
    enum Scale {
        LINEAR,
        /** 0 at the left, then 90, 99, 99.9, … at even distances. */
        PERCENTILE
    }

    /** @param points x, y pairs */
    private record Line(String name, int color, List<double[]> points) {}

    /** Something marked on the x axis, from {@code x} to {@code toX}. */
    private record Band(double x, double toX, String kind, String text) {}

    private final String id;
    private final String title;
    private final String xLabel;
    private final String yLabel;
    private final Scale xScale;
    private final List<Line> lines = new ArrayList<>();
    private final List<Band> bands = new ArrayList<>();
    private double maxX;
    private double maxY;
    private DoubleFunction<String> xText = Chart::number;

    Chart(String id, String title, String xLabel, String yLabel, Scale xScale) {
        this.id = id;
        this.title = title;
        this.xLabel = xLabel;
        this.yLabel = yLabel;
        this.xScale = xScale;
    }

    Chart line(String name, List<double[]> points) {
        lines.add(new Line(name, lines.size() % 6, points));
        for (double[] point : points) {
            maxX = Math.max(maxX, point[0]);
            maxY = Math.max(maxY, point[1]);
        }
        return this;
    }

    Chart band(double x, double toX, String kind, String text) {
        bands.add(new Band(x, toX, kind, text));
        maxX = Math.max(maxX, x);
        return this;
    }

    Chart xText(DoubleFunction<String> text) {
        xText = text;
        return this;
    }

    String svg() {
        StringBuilder svg = new StringBuilder();
        double topY = roundUp(maxY);
        add(svg, "<figure id=\"%s\"><figcaption>%s</figcaption><svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">", id,
                escape(title), WIDTH, HEIGHT, escape(title));
        bands(svg);
        axes(svg, topY);
        for (Line line : lines) {
            line(svg, line, topY);
        }
        legend(svg);
        add(svg, "</svg></figure>");
        return svg.toString();
    }

    private void bands(StringBuilder svg) {
        for (Band band : bands) {
            double x = x(band.x());
            double width = Math.max(1.5, x(Math.min(maxX, band.toX())) - x);
            add(svg, "<rect class=\"band %s\" x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\"><title>%s</title></rect>",
                    escape(band.kind()), x, TOP, width, HEIGHT - TOP - BOTTOM, escape(band.text()));
        }
    }

    private void axes(StringBuilder svg, double topY) {
        for (int i = 0; i <= TICKS; i++) {
            double value = topY * i / TICKS;
            double y = y(value, topY);
            add(svg, "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>", LEFT, WIDTH - RIGHT, y, y);
            add(svg, "<text class=\"tick\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>", LEFT - 6, y + 4, number(value));
        }
        for (double value : xTicks()) {
            double x = x(value);
            add(svg, "<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\"/>", x, x, TOP, HEIGHT - BOTTOM);
            add(svg, "<text class=\"tick\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>", x, HEIGHT - BOTTOM + 16,
                    escape(String.valueOf(xText.apply(value))));
        }
        add(svg, "<text class=\"label\" x=\"%d\" y=\"%d\" text-anchor=\"middle\">%s</text>", (LEFT + WIDTH - RIGHT) / 2, HEIGHT
                - 8,
                escape(xLabel));
        add(svg, "<text class=\"label\" x=\"14\" y=\"%d\" text-anchor=\"middle\" transform=\"rotate(-90 14 %d)\">%s</text>",
                (TOP + HEIGHT - BOTTOM) / 2, (TOP + HEIGHT - BOTTOM) / 2, escape(yLabel));
    }

    private double[] xTicks() {
        if (xScale == Scale.PERCENTILE) {
            return new double[] {0, 50, 90, 95, 99, 99.9, 99.99};
        }
        double top = roundUp(maxX);
        double[] ticks = new double[TICKS + 1];
        int count = 0;
        for (int i = 0; i <= TICKS; i++) {
            double value = top * i / TICKS;
            if (value <= maxX * 1.0001) {
                ticks[count++] = value;
            }
        }
        return java.util.Arrays.copyOf(ticks, count);
    }

    private void line(StringBuilder svg, Line line, double topY) {
        if (line.points().isEmpty()) {
            return;
        }
        StringBuilder path = new StringBuilder();
        for (double[] point : line.points()) {
            add(path, "%s%.1f %.1f", path.isEmpty() ? "M" : "L", x(point[0]), y(point[1], topY));
        }
        add(svg, "<path class=\"line c%d\" d=\"%s\"/>", line.color(), path);
        for (double[] point : line.points()) {
            add(svg, "<circle class=\"c%d\" cx=\"%.1f\" cy=\"%.1f\" r=\"2.5\"><title>%s: %s, %s</title></circle>", line.color(),
                    x(point[0]), y(point[1], topY), escape(line.name()), escape(String.valueOf(xText.apply(point[0]))),
                            number(point[1]));
        }
    }

    private void legend(StringBuilder svg) {
        int x = LEFT;
        for (Line line : lines) {
            add(svg, "<rect class=\"c%d\" x=\"%d\" y=\"10\" width=\"10\" height=\"10\"/>", line.color(), x);
            add(svg, "<text class=\"legend\" x=\"%d\" y=\"19\">%s</text>", x + 15, escape(line.name()));
            x += 30 + 7 * line.name().length();
        }
    }

    private double x(double value) {
        double share = switch (xScale) {
            case LINEAR -> maxX == 0 ? 0 : value / maxX;
            case PERCENTILE -> value <= 0 ? 0 : Math.min(1, -Math.log10(1 - Math.min(value, 99.995) / 100)
                    / -Math.log10(0.00005));
        };
        return LEFT + share * (WIDTH - LEFT - RIGHT);
    }

    private static double y(double value, double topY) {
        return HEIGHT - BOTTOM - (topY == 0 ? 0 : value / topY) * (HEIGHT - TOP - BOTTOM);
    }

    /** The next of some round numbers. */
    static double roundUp(double value) {
        if (value <= 0) {
            return 1;
        }
        double power = Math.pow(10, Math.floor(Math.log10(value)));
        for (double lead : new double[] {1, 1.5, 2, 2.5, 3, 4, 5, 6, 8}) {
            if (value / power <= lead) {
                return power * lead;
            }
        }
        return power * 10;
    }

    static String number(double value) {
        return value == Math.rint(value) && Math.abs(value) < 1e7 ? String.format(Locale.ROOT, "%.0f", value)
                : String.format(Locale.ROOT, "%.3g", value);
    }

    static String escape(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\"", "&quot;");
    }

    @SuppressWarnings("AnnotateFormatMethod") // its annotation would be a library of its own
    private static void add(StringBuilder to, String format, Object... values) {
        to.append(String.format(Locale.ROOT, format, values));
    }
}
