package dev.tidestream.loadtest;

import java.awt.image.BufferedImage;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.imageio.ImageIO;

import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.loadtest.figures.Promise;
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

    /** A sweep of two levels. */
    private Path sweep(String name) {
        return report(name, "--sweep", "1,3");
    }

    private Path report(String name, String... args) {
        try (ScriptedServer server = new ScriptedServer((request, _) -> ScriptedServer.stream(request.id(), 4, 20 * MS,
                10 * MS))) {
            Path html = directory.resolve(name + ".html");
            List<String> all = new ArrayList<>(List.of("--url", server.url().toString(), "--warmup", "200ms", "--duration",
                    "900ms",
                    "--output-tokens", "4",
                    "--report", html.toString(), "--out", directory.resolve(name + ".json").toString()));
            all.addAll(List.of(args));
            run(all.toArray(String[]::new));
            return html;
        }
    }

    /** Whoever reads it must know what was asked, of whom, what was checked, and what was set. */
    @Test
    void shouldSayWhatWasMeasuredAndChecked() throws Exception {
        Path scenario = directory.resolve("mine.json");
        Files.writeString(scenario, """
                {"description": ["Is it <quick>?"], "arguments": ["--concurrency 2 --faults cancel=0.2", "--follow 0.5"]}
                """);
        Path html = report("out", "--scenario", scenario.toString());
        String page = Files.readString(html);
        assertTrue(page.contains("<p>Is it &lt;quick&gt;?</p>"), page);
        assertTrue(page.contains("<td>model</td><td>scripted, context 64, vocabulary 4096</td>"), page);
        assertTrue(page.contains("<td>processor</td><td>" + Environment.processor() + "</td>"), page);
        assertTrue(page.contains("<td>server</td><td>tidestream 9.9, Java 25, 127.0.0.1:"), page);
        assertTrue(page.contains("<td>threads</td><td>3</td>") && page.contains("<td>kernels</td><td>quick</td>"), page);
        assertTrue(page.contains("<td>faults</td><td>vanish 0.0 %, cancel 20.0 %, slow 0.0 %, resume 0.0 % of the streams"), page);
        assertTrue(page.contains("<td>follow</td><td>50.0 % of the streams"), page);
        assertTrue(page.contains("<td>admin</td><td>none</td>"), page);
        RunReport report = JsonReport.read(directory.resolve("out.json"));
        assertEquals("Is it <quick>?", report.question());
        Matcher checked = Pattern.compile("<td>seq is 0, 1, 2, [^<]*</td><td>([\\d,]+)</td>"
                + "<td class=\"text\">tokens</td><td class=\"\">0</td>").matcher(page);
        assertTrue(checked.find(), page);
        long tokens = report.steps().getFirst().promises().stream().filter(count -> count.promise() == Promise.SEQUENCE)
                .findFirst().orElseThrow().checked();
        assertEquals(String.format(Locale.ROOT, "%,d", tokens), checked.group(1));
        assertTrue(tokens >= report.steps().getFirst().figures().tokens() && tokens > 0, "tokens of the warm-up, too: " + tokens);
        assertTrue(page.contains("<td class=\"soft\">no token beyond the credit</td>"
                + "<td class=\"soft\" colspan=\"3\">not checked"), page);
        assertTrue(run("report", directory.resolve("out.json").toString()).contains(" promises were checked "));
    }

    @Test
    void shouldFoldTheLevelsOfASweep() throws Exception {
        String page = Files.readString(sweep("a"));
        assertEquals(2, Pattern.compile("<details><summary><b>tidestream, \\d streams?</b>").matcher(page).results().count(),
                page);
        assertFalse(Files.readString(report("b", "--concurrency", "2")).contains("<details"));
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
        RunReport report = new RunReport("<b>", "why?", "t", "\"x\" & y", Map.of(), Map.of(), List.of(), 1, List.of("<script>"),
                false,
                List.of("a < b"), "");
        String html = HtmlReport.of(report);
        assertFalse(html.contains("<script>"), html);
        assertTrue(html.contains("&lt;script&gt;") && html.contains("&quot;x&quot; &amp; y") && html.contains("FAILED"), html);
    }

    @Test
    void shouldFailIfAReportCannotBeWritten() throws Exception {
        RunReport report = new RunReport("r", "", "t", "c", Map.of(), Map.of(), List.of(), 0, List.of(), true, List.of(), "");
        Path file = Files.writeString(directory.resolve("r.json"), JsonReport.write(report));
        Path nowhere = directory.resolve("none/r.html");
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        assertEquals(1, Main.run(new PrintWriter(out), new PrintWriter(err), "report", file.toString(), "--html",
                nowhere.toString()));
        assertEquals("OK: r\nchecked     0 promises were checked 0 times in all: none was broken\n", out.toString());
        assertEquals("loadtest: report cannot be written: " + nowhere + ": no such file\n", err.toString());
    }

    /** A server's texts, and a file's, in each form that a report has. */
    @Test
    void shouldMakeVisibleWhatOthersSay() throws Exception {
        RunReport report = new RunReport("a\u001b[2J", "", "t", "c\u202e", Map.of(), Map.of("k", "v\u009b"), List.of(), 1,
                List.of("s1: \u001b]0;x\u0007\nOK: forged"), false, List.of("it died:\n  x\r\nOK: forged\u001b"), "note\nOK: forged");
        String text = TextReport.of(report);
        assertEquals("""
                FAILED: a\\u001b[2J (note\\nOK: forged)
                checked     0 promises were checked 0 times in all: 1 times one was broken
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
        Objects.requireNonNull(chromium);
        BufferedImage sweep = picture(chromium, sweep("a"), 2400);
        // Each of the first three charts' lines has its colour; their pixels lie all over the page.
        assertTrue(pixels(sweep, 0x2f6fde, 0, 2400) > 1000, "first lines: " + pixels(sweep, 0x2f6fde, 0, 2400));
        assertTrue(pixels(sweep, 0xe0762b, 0, 2400) > 200, "second lines: " + pixels(sweep, 0xe0762b, 0, 2400));
        BufferedImage single = picture(chromium, report("b", "--concurrency", "3"), 3000);
        assertTrue(pixels(single, 0x2f6fde, 0, 3000) > 1000, "first lines: " + pixels(single, 0x2f6fde, 0, 3000));
        for (int from = 600; from < 2100; from += 500) {
            assertTrue(pixels(single, 0x2f6fde, from, from + 500) > 100, "no line between " + from + " and " + (from + 500));
        }
    }

    private BufferedImage picture(Path chromium, Path html, int height) throws Exception {
        Path picture = directory.resolve("report.png");
        Process browser = new ProcessBuilder(chromium.toString(), "--headless", "--no-sandbox", "--disable-gpu",
                "--disable-quic",
                "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
                "--user-data-dir=" + directory.resolve("profile"), "--window-size=900," + height, "--hide-scrollbars",
                "--screenshot=" + picture, html.toUri().toString())
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("browser.log").toFile())
                .start();
        assertTrue(browser.waitFor(120, TimeUnit.SECONDS), "the browser does not end");
        assertTrue(Files.exists(picture), Files.readString(directory.resolve("browser.log")));
        BufferedImage image = ImageIO.read(picture.toFile());
        assertEquals(900, image.getWidth());
        Files.delete(picture);
        return image;
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
