package dev.tidestream.server.console;

import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;

import com.microsoft.playwright.Browser;
import com.microsoft.playwright.BrowserContext;
import com.microsoft.playwright.BrowserType;
import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.Playwright;
import com.microsoft.playwright.options.AriaRole;
import com.microsoft.playwright.options.ColorScheme;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

/**
 * A page of the console in the system's Chromium, and all that went wrong in it. Where there is no Chromium, the test is skipped and says
 * so. One thread.
 */
final class BrowserPage implements AutoCloseable {
    private static final double PATIENCE_MS = 60_000;
    private static final List<String> PLACES = List.of(
            "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome", "/usr/bin/google-chrome-stable",
            "/snap/bin/chromium");

    final Page page;
    private final Playwright playwright;
    private final BrowserContext context;
    private final String origin;
    private final List<String> faults = new ArrayList<>();

    private BrowserPage(Playwright playwright, BrowserContext context, int port) {
        this.playwright = playwright;
        this.context = context;
        this.origin = "http://127.0.0.1:" + port;
        context.setDefaultTimeout(PATIENCE_MS);
        context.onRequest(request -> {
            String authority = URI.create(request.url()).getAuthority();
            if (!("127.0.0.1:" + port).equals(authority)) {
                faults.add("a request to another host: " + request.url());
            }
        });
        context.onConsoleMessage(message -> {
            if (message.type().equals("error") || message.type().equals("warning")) {
                faults.add("in the console: " + message.text());
            }
        });
        context.onWebError(error -> faults.add("not caught: " + error.error()));
        page = context.newPage();
        page.onWebSocket(socket -> {
            if (!socket.url().startsWith("ws://127.0.0.1:" + port + "/")) {
                faults.add("a WebSocket to another host: " + socket.url());
            }
        });
    }

    /** A wide one in light colours, at the console of a server on this port. */
    static BrowserPage at(int port) {
        return at(port, new Browser.NewContextOptions().setViewportSize(1440, 900).setColorScheme(ColorScheme.LIGHT));
    }

    static BrowserPage at(int port, Browser.NewContextOptions options) {
        Optional<Path> chromium = chromium();
        assumeTrue(chromium.isPresent(), "no Chromium on this machine, so the console is not tested in a browser: " + PLACES);
        Playwright playwright = Playwright.create(new Playwright.CreateOptions().setEnv(Map.of("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1")));
        Browser browser = playwright.chromium().launch(new BrowserType.LaunchOptions()
                .setExecutablePath(chromium.orElseThrow())
                .setArgs(List.of("--no-sandbox", "--enable-precise-memory-info"))); // in a container there may be no sandbox
        BrowserPage opened = new BrowserPage(playwright, browser.newContext(options), port);
        opened.page.navigate(opened.origin + "/");
        return opened;
    }

    private static Optional<Path> chromium() {
        return Stream.concat(Stream.ofNullable(System.getenv("CHROMIUM")), PLACES.stream()).map(Path::of)
                .filter(Files::isExecutable).findFirst();
    }

    /** Goes to a part of the console by its link. */
    void go(String name) {
        page.getByRole(AriaRole.LINK, new Page.GetByRoleOptions().setName(name).setExact(true)).click();
        await("document.querySelector('h1')?.textContent === '%s'".formatted(name));
    }

    /** Gives the page the administrators' token. */
    void enterToken(String token) {
        page.click("#access");
        page.fill("#admin-token", token);
        page.click("#access-save");
    }

    /** The text of a figure, by its name. */
    String figure(String name) {
        return page.locator("dl.tiles > div").filter(new Locator.FilterOptions().setHasText(name)).locator("dd").innerText();
    }

    /** Waits until an expression is true; in a function of its own, since the page lets nobody evaluate texts. */
    void await(String expression) {
        page.evaluate("""
                () => new Promise((resolve, reject) => {
                  const until = performance.now() + %s;
                  const look = () => (%s) ? resolve() : performance.now() > until ? reject(new Error(document.body.innerText)) : setTimeout(look, 20);
                  look();
                })""".formatted(PATIENCE_MS, expression));
    }

    /** Lets the page show as many frames. */
    void frames(int count) {
        page.evaluate("n => new Promise(resolve => { const next = () => n-- > 0 ? requestAnimationFrame(next) : resolve(); next(); })",
                count);
    }

    /** Frames that the page shows in this time. */
    double framesPerSecond(int seconds) {
        return number("""
                () => new Promise(resolve => {
                  let n = 0;
                  const begun = performance.now();
                  const next = now => now - begun > %d ? resolve(1000 * n / (now - begun)) : (n++, requestAnimationFrame(next));
                  requestAnimationFrame(next);
                })""".formatted(1000 * seconds));
    }

    double number(String expression) {
        return ((Number) Objects.requireNonNull(page.evaluate(expression), expression)).doubleValue();
    }

    /** Nothing has gone wrong in the page, and it has talked to nobody else. */
    void requireFaultless() {
        assertEquals(List.of(), faults);
    }

    @Override
    public void close() {
        context.close();
        playwright.close();
    }
}
