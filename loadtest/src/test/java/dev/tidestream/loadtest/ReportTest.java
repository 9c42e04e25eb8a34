package dev.tidestream.loadtest;

import java.awt.image.BufferedImage;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.imageio.ImageIO;

import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.loadtest.report.HtmlReport;
import dev.tidestream.loadtest.report.JsonReport;
import dev.tidestream.loadtest.report.RunReport;
import dev.tidestream.loadtest.report.TextReport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Reports of a real run against a scripted server: as JSON and back, as HTML, and as pixels in a browser. */
class ReportTest {
    private static final long MS = 1_000_000;
    private static final Pattern FIGURE = Pattern.compile("<figure id=\"([^\"]+)\">.*?</figure>", Pattern.DOTALL);

    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    Path directory;

    private String run(String... args) {
        StringWriter out = new StringWriter();
        assertEquals(0, Main.run(new PrintWriter(out), new PrintWriter(out), args), out.toString());
        return out.toString();
    }

    /** A sweep of two levels in which clients cancel. */
    private Path sweep(String name) {
        try (ScriptedServer server = new ScriptedServer((request, _) -> ScriptedServer.stream(request.id(), 4, 20 * MS,
                10 * MS))) {
            Path html = directory.resolve(name + ".html");
            run("--url", server.url().toString(), "--sweep", "1,3", "--warmup", "200ms", "--duration", "900ms",
                    "--output-tokens", "4",
                    "--report", html.toString(), "--out", directory.resolve(name + ".json").toString());
            return html;
        }
    }

    @Test
    void shouldHaveDataInEveryChart() throws Exception {
        String html = Files.readString(sweep("a"));
        List<String> charts = new ArrayList<>();
        Matcher figure = FIGURE.matcher(html);
        while (figure.find()) {
            charts.add(figure.group(1));
            Matcher path = Pattern.compile("<path class=\"line c\\d\" d=\"(M[^\"]+)\"").matcher(figure.group());
            assertTrue(path.find(), "no line in " + figure.group(1));
            assertTrue(String.valueOf(path.group(1)).contains("L"), "one point only in " + figure.group(1));
        }
        assertEquals(List.of("sweep-ttft", "sweep-itl", "sweep-load", "percentiles0", "tokens0", "timeline0", "running0",
                "percentiles1",
                "tokens1", "timeline1", "running1"), charts);
        assertFalse(html.contains("NaN"), "a number is none");
        assertFalse(Pattern.compile("(src|href)=|https?://").matcher(html.replaceAll("ws?://[^<]*", "")).find(),
                "it needs something else");
    }

    @Test
    void shouldReadBackWhatItWroteAndCompare() throws Exception {
        sweep("a");
        sweep("b");
        Path a = directory.resolve("a.json");
        Path b = directory.resolve("b.json");
        RunReport report = JsonReport.read(a);
        assertEquals(Files.readString(a), JsonReport.write(report));
        String table = run("report", "--compare", a.toString(), b.toString(), "--html", directory.resolve("c.html").toString());
        assertTrue(table.contains("tidestream, 1 stream ") && table.contains("tidestream, 3 streams"), table);
        assertTrue(Files.readString(directory.resolve("c.html")).contains("<figure id=\"compare-ttft\">"),
                "no curve of the sweeps");
        StringWriter err = new StringWriter();
        assertEquals(2, Main.run(new PrintWriter(err), new PrintWriter(err), "report", a.toString(), b.toString()));
        assertTrue(run("report", a.toString()).startsWith("OK: loadtest"), "the text of a kept report");
    }

    @Test
    void shouldEscapeWhatOthersSay() {
        RunReport report = new RunReport("<b>", "t", "\"x\" & y", java.util.Map.of(), List.of(), 1, List.of("<script>"), false,
                List.of("a < b"), "");
        String html = HtmlReport.of(report);
        assertFalse(html.contains("<script>"), html);
        assertTrue(html.contains("&lt;script&gt;") && html.contains("&quot;x&quot; &amp; y") && html.contains("FAILED"), html);
    }

    @Test
    void shouldFailIfAReportCannotBeWritten() throws Exception {
        RunReport report = new RunReport("r", "t", "c", java.util.Map.of(), List.of(), 0, List.of(), true, List.of(), "");
        Path file = Files.writeString(directory.resolve("r.json"), JsonReport.write(report));
        Path nowhere = directory.resolve("none/r.html");
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        assertEquals(1, Main.run(new PrintWriter(out), new PrintWriter(err), "report", file.toString(), "--html",
                nowhere.toString()));
        assertEquals("OK: r\n", out.toString());
        assertEquals("loadtest: report cannot be written: " + nowhere + ": no such file\n", err.toString());
    }

    /** A server's texts, and a file's, in each form that a report has. */
    @Test
    void shouldMakeVisibleWhatOthersSay() throws Exception {
        RunReport report = new RunReport("a\u001b[2J", "t", "c\u202e", java.util.Map.of("k", "v\u009b"), List.of(), 1,
                List.of("s1: \u001b]0;x\u0007\nOK: forged"), false, List.of("it died:\n  x\r\nOK: forged\u001b"), "note\nOK: forged");
        String text = TextReport.of(report);
        assertEquals("""
                FAILED: a\\u001b[2J (note\\nOK: forged)
                problem: it died:
                    x
                  OK: forged\\u001b
                breach: s1: \\u001b]0;x\\u0007\\nOK: forged
                """, text);
        for (String form : List.of(HtmlReport.of(report), HtmlReport.compare(report, report), JsonReport.write(report))) {
            assertTrue(form.chars().noneMatch(c -> c == 0x1b || c == 0x7 || c == 0x202e || c == 0x9b || c == '\r'), form);
            assertTrue(form.contains("a\\u001b[2J") || form.contains("a\\u001B[2J"), form);
        }
        Path file = Files.writeString(directory.resolve("r.json"), JsonReport.write(report));
        assertEquals(report, JsonReport.read(file));
    }

    /** Skipped, and said so, on machines without Chromium. */
    @Test
    void shouldShowItsChartsInABrowser() throws Exception {
        Path chromium = Stream.of("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome").map(Path::of)
                .filter(Files::isExecutable).findFirst().orElse(null);
        Assumptions.assumeTrue(chromium != null, "no Chromium: nobody has looked at the HTML report");
        Path html = sweep("a");
        Path picture = directory.resolve("report.png");
        Process browser = new ProcessBuilder(String.valueOf(chromium), "--headless", "--no-sandbox", "--disable-gpu",
                "--disable-quic",
                "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
                "--user-data-dir=" + directory.resolve("profile"), "--window-size=900,4200", "--hide-scrollbars",
                "--screenshot=" + picture, html.toUri().toString())
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("browser.log").toFile())
                .start();
        assertTrue(browser.waitFor(120, TimeUnit.SECONDS), "the browser does not end");
        assertTrue(Files.exists(picture), Files.readString(directory.resolve("browser.log")));
        BufferedImage image = ImageIO.read(picture.toFile());
        assertEquals(900, image.getWidth());
        // Each of the first three charts' lines has its colour; their pixels lie all over the page.
        assertTrue(pixels(image, 0x2f6fde, 0, 4200) > 2000, "first lines: " + pixels(image, 0x2f6fde, 0, 4200));
        assertTrue(pixels(image, 0xe0762b, 0, 4200) > 500, "second lines: " + pixels(image, 0xe0762b, 0, 4200));
        for (int from = 300; from < 3900; from += 900) {
            assertTrue(pixels(image, 0x2f6fde, from, from + 900) > 100, "no line between " + from + " and " + (from + 900));
        }
    }

    private static long pixels(BufferedImage image, int color, int fromY, int toY) {
        long count = 0;
        for (int y = fromY; y < Math.min(toY, image.getHeight()); y++) {
            for (int x = 0; x < image.getWidth(); x++) {
                if ((image.getRGB(x, y) & 0xffffff) == color) {
                    count++;
                }
            }
        }
        return count;
    }
}
