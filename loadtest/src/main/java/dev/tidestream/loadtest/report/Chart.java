package dev.tidestream.loadtest.report;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.DoubleFunction;

import dev.tidestream.console.Printable;

/** A chart of lines as inline SVG: axes with round numbers, a legend, points that tell their value when pointed at. */
final class Chart {
    private static final int WIDTH = 760;
    private static final int HEIGHT = 300;
    private static final int LEFT = 70;
    private static final int RIGHT = 20;
    private static final int TOP = 34;
    private static final int BOTTOM = 46;
    private static final int TICKS = 5;
    private static final int COLORS = 6;
    private static final int STRIP = 10; // height of what happened, of one kind, above the plot
    private static final int LOG_DECADES = 4; // what lies further below the highest value is drawn at the bottom

    /** How values lie along the x axis. */
    enum Scale {
        LINEAR,
        /** 0 at the left, then 90, 99, 99.9, … at even distances. */
        PERCENTILE
    }

    /**
     * @param points x, y pairs
     * @param labels of the points; empty for none
     */
    private record Line(String name, int color, List<double[]> points, List<String> labels) {}

    /** Something marked on the x axis, from {@code x} to {@code toX}. */
    private record Band(double x, double toX, String kind, String text) {}

    /** A point that stands out. */
    private record Highlight(double x, double y, String text) {}

    private final String id;
    private final String title;
    private final String xLabel;
    private final String yLabel;
    private final Scale xScale;
    private final List<Line> lines = new ArrayList<>();
    private final List<Band> bands = new ArrayList<>();
    private final List<Band> events = new ArrayList<>();
    private final List<Highlight> highlights = new ArrayList<>();
    private boolean logarithmic;
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
        return line(name, points, List.of());
    }

    /** @param labels one for each point, written beside it */
    Chart line(String name, List<double[]> points, List<String> labels) {
        lines.add(new Line(name, lines.size() % COLORS, points, labels));
        for (double[] point : points) {
            maxX = Math.max(maxX, point[0]);
            maxY = Math.max(maxY, point[1]);
        }
        return this;
    }

    /**
     * A background.
     *
     * @param kind a class of the style, and its name in the legend
     */
    Chart band(double x, double toX, String kind, String text) {
        bands.add(new Band(x, toX, kind, text));
        maxX = Math.max(maxX, x);
        return this;
    }

    /**
     * Something that happened: a mark above the plot, where it hides no line. Each kind has a strip of its own.
     *
     * @param kind a class of the style, and its name in the legend
     */
    Chart event(double x, double toX, String kind, String text) {
        events.add(new Band(x, toX, kind, text));
        maxX = Math.max(maxX, x);
        return this;
    }

    /** A ring around a point, and what it is. */
    Chart highlight(double x, double y, String text) {
        highlights.add(new Highlight(x, y, text));
        return this;
    }

    Chart xText(DoubleFunction<String> text) {
        xText = text;
        return this;
    }

    /** Values of different sizes in one chart: the y axis goes by powers of ten. */
    Chart logarithmic() {
        logarithmic = true;
        return this;
    }

    String svg() {
        StringBuilder svg = new StringBuilder();
        add(svg, "<figure id=\"%s\"><figcaption>%s</figcaption><svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">", id,
                escape(title), WIDTH, HEIGHT, escape(title));
        bands(svg);
        events(svg);
        axes(svg);
        for (Line line : lines) {
            line(svg, line);
        }
        highlights(svg);
        legend(svg);
        add(svg, "</svg></figure>");
        return svg.toString();
    }

    private void bands(StringBuilder svg) {
        for (Band band : bands) {
            double x = x(band.x());
            double width = Math.max(1.5, x(Math.min(maxX, band.toX())) - x);
            add(svg, "<rect class=\"band %s\" x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\"><title>%s</title></rect>",
                    escape(band.kind()), x, top(), width, HEIGHT - top() - BOTTOM, escape(band.text()));
        }
    }

    private List<String> eventKinds() {
        return events.stream().map(Band::kind).distinct().toList();
    }

    /** Of the plot: the strips of what happened are above it. */
    private int top() {
        return TOP + STRIP * eventKinds().size();
    }

    private void events(StringBuilder svg) {
        List<String> kinds = eventKinds();
        for (Band event : events) {
            double x = x(event.x());
            double width = Math.max(2, x(Math.min(maxX, event.toX())) - x);
            add(svg, "<rect class=\"event %s\" x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\"><title>%s</title></rect>",
                    escape(event.kind()), x, TOP + STRIP * kinds.indexOf(event.kind()), width, STRIP - 3, escape(event.text()));
        }
    }

    private void highlights(StringBuilder svg) {
        for (Highlight highlight : highlights) {
            double x = x(highlight.x());
            double y = y(highlight.y());
            boolean right = x > (LEFT + WIDTH - RIGHT) / 2.0;
            add(svg, "<circle class=\"highlight\" cx=\"%.1f\" cy=\"%.1f\" r=\"7\"/>", x, y);
            add(svg, "<text class=\"legend\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>", right ? x - 11 : x + 11, y - 9,
                    right ? "end" : "start", escape(highlight.text()));
        }
    }

    private void axes(StringBuilder svg) {
        for (double value : yTicks()) {
            double y = y(value);
            add(svg, "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>", LEFT, WIDTH - RIGHT, y, y);
            add(svg, "<text class=\"tick\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>", LEFT - 6, y + 4, number(value));
        }
        for (double value : xTicks()) {
            double x = x(value);
            add(svg, "<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\"/>", x, x, top(), HEIGHT - BOTTOM);
            add(svg, "<text class=\"tick\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>", x, HEIGHT - BOTTOM + 16,
                    escape(String.valueOf(xText.apply(value))));
        }
        add(svg, "<text class=\"label\" x=\"%d\" y=\"%d\" text-anchor=\"middle\">%s</text>", (LEFT + WIDTH - RIGHT) / 2,
                HEIGHT - 8, escape(xLabel));
        add(svg, "<text class=\"label\" x=\"14\" y=\"%d\" text-anchor=\"middle\" transform=\"rotate(-90 14 %d)\">%s</text>",
                (top() + HEIGHT - BOTTOM) / 2, (top() + HEIGHT - BOTTOM) / 2, escape(yLabel));
    }

    private List<Double> yTicks() {
        List<Double> ticks = new ArrayList<>();
        if (logarithmic) {
            for (double value = lowY(); value <= topY() * 1.0001; value *= 10) {
                ticks.add(value);
            }
            return ticks;
        }
        double step = step(maxY);
        for (int i = 0; i * step <= topY() * 1.0001; i++) {
            ticks.add(i * step);
        }
        return ticks;
    }

    private List<Double> xTicks() {
        if (xScale == Scale.PERCENTILE) {
            return List.of(0.0, 50.0, 90.0, 95.0, 99.0, 99.9, 99.99);
        }
        List<Double> ticks = new ArrayList<>();
        double step = step(maxX);
        for (int i = 0; i * step <= maxX * 1.0001; i++) {
            ticks.add(i * step);
        }
        return ticks;
    }

    private void line(StringBuilder svg, Line line) {
        if (line.points().isEmpty()) {
            return;
        }
        StringBuilder path = new StringBuilder();
        for (double[] point : line.points()) {
            add(path, "%s%.1f %.1f", path.isEmpty() ? "M" : "L", x(point[0]), y(point[1]));
        }
        add(svg, "<path class=\"line c%d\" d=\"%s\"/>", line.color(), path);
        for (double[] point : line.points()) {
            add(svg, "<circle class=\"c%d\" cx=\"%.1f\" cy=\"%.1f\" r=\"2.5\"><title>%s: %s, %s</title></circle>", line.color(),
                    x(point[0]), y(point[1]), escape(line.name()), escape(String.valueOf(xText.apply(point[0]))),
                    number(point[1]));
        }
        for (int i = 0; i < line.labels().size(); i++) {
            add(svg, "<text class=\"tick\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%s</text>", x(line.points().get(i)[0]),
                    y(line.points().get(i)[1]) + 16, escape(line.labels().get(i)));
        }
    }

    private void legend(StringBuilder svg) {
        int x = LEFT;
        for (Line line : lines) {
            x = legend(svg, x, "c" + line.color(), line.name());
        }
        for (String kind : bands.stream().map(Band::kind).distinct().toList()) {
            x = legend(svg, x, "band " + escape(kind), kind);
        }
        for (String kind : eventKinds()) {
            x = legend(svg, x, "event " + escape(kind), kind);
        }
    }

    /** @return where the next one goes */
    private static int legend(StringBuilder svg, int x, String style, String name) {
        add(svg, "<rect class=\"%s\" x=\"%d\" y=\"10\" width=\"10\" height=\"10\"/>", style, x);
        add(svg, "<text class=\"legend\" x=\"%d\" y=\"19\">%s</text>", x + 15, escape(name));
        return x + 30 + 7 * name.length();
    }

    private double x(double value) {
        double share = switch (xScale) {
            case LINEAR -> maxX == 0 ? 0 : value / maxX;
            case PERCENTILE -> value <= 0 ? 0 : Math.min(1, -Math.log10(1 - Math.min(value, 99.995) / 100)
                    / -Math.log10(0.00005));
        };
        return LEFT + share * (WIDTH - LEFT - RIGHT);
    }

    private double y(double value) {
        double share = logarithmic
                ? Math.log10(Math.max(value, lowY()) / lowY()) / Math.log10(topY() / lowY())
                : value / topY();
        return HEIGHT - BOTTOM - share * (HEIGHT - top() - BOTTOM);
    }

    private double topY() {
        if (logarithmic) {
            return maxY <= 0 ? 1 : Math.pow(10, Math.ceil(Math.log10(maxY) - 1e-9));
        }
        double step = step(maxY);
        return maxY <= 0 ? step : step * Math.ceil(maxY / step - 1e-9);
    }

    /** Of a logarithmic axis. */
    private double lowY() {
        double lowest = lines.stream().flatMap(line -> line.points().stream()).mapToDouble(point -> point[1])
                .filter(value -> value > 0).min().orElse(topY());
        double power = Math.pow(10, Math.floor(Math.log10(lowest) + 1e-9));
        return Math.clamp(power, topY() / Math.pow(10, LOG_DECADES), topY() / 10);
    }

    /** 1, 2, 2.5 or 5 times a power of ten, and about {@value #TICKS} of them up to {@code max}. */
    static double step(double max) {
        if (max <= 0) {
            return 1;
        }
        double power = Math.pow(10, Math.floor(Math.log10(max / TICKS)));
        for (double lead : new double[] {1, 2, 2.5, 5}) {
            if (max / (power * lead) <= TICKS * 1.0001) {
                return power * lead;
            }
        }
        return power * 10;
    }

    static String number(double value) {
        return new BigDecimal(value).round(new MathContext(Math.abs(value) >= 1000 ? 6 : 3)).stripTrailingZeros().toPlainString();
    }

    static String escape(String text) {
        return Printable.text(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\"", "&quot;");
    }

    @SuppressWarnings("AnnotateFormatMethod") // its annotation would be a library of its own
    private static void add(StringBuilder to, String format, Object... values) {
        to.append(String.format(Locale.ROOT, format, values));
    }
}
