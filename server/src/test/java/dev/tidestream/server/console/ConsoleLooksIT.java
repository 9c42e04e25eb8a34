package dev.tidestream.server.console;

import java.util.List;
import java.util.Objects;

import com.microsoft.playwright.Browser;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.options.ColorScheme;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Whoever uses it: by keyboard alone, with weak eyes, on a phone; and a long stream that keeps the page light and still. */
@ExtendWith(TestBrowser.class)
class ConsoleLooksIT {
    private static final List<String> PAGES = List.of("Playground", "Compare", "Streams", "Weights", "Head", "Load", "Cluster");

    /** The least contrast of a text with what is behind it, with the text (WCAG 2.2, 1.4.3: 4.5, or 3 for large text). */
    static final String CONTRASTS = """
            () => {
              const channels = text => text.match(/[\\d.]+/g).map(Number);
              const luminance = c => [0, 1, 2].map(i => c[i] / 255)
                .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4).reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
              const over = (top, below) => { const a = top[3] ?? 1; return [0, 1, 2].map(i => a * top[i] + (1 - a) * below[i]); };
              const behind = e => {
                if (e === null) return [255, 255, 255];
                const own = channels(getComputedStyle(e).backgroundColor);
                return own[3] === 0 ? behind(e.parentElement) : over(own, behind(e.parentElement));
              };
              const poor = [];
              const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
              let checked = 0;
              for (let node = walker.nextNode(); node; node = walker.nextNode()) {
                const e = node.parentElement;
                if (!node.data.trim() || !e.checkVisibility() || e.closest('.hidden, .skip, script, noscript, option, :disabled, svg')) continue;
                const style = getComputedStyle(e);
                const back = behind(e);
                const [a, b] = [luminance(over(channels(style.color), back)), luminance(back)].sort((x, y) => y - x);
                const ratio = (a + 0.05) / (b + 0.05);
                const size = parseFloat(style.fontSize);
                checked++;
                if (ratio < (size >= 24 || (size >= 18.66 && style.fontWeight >= 700) ? 3 : 4.5)) {
                  poor.push(`${ratio.toFixed(2)}: ${node.data.trim().slice(0, 40)} (${e.tagName}.${e.className})`);
                }
              }
              return checked < 10 ? ['only ' + checked + ' texts'] : poor;
            }""";

    /** What can be operated, each by a name that the keyboard's way is compared with. */
    private static final String CONTROLS = """
            () => [...document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex="0"]')]
              .filter(e => !e.disabled && e.checkVisibility() && !(e.type === 'radio' && !e.checked))
              .map((e, i) => e.dataset.control = String(i))""";

    /** Of the long stream; 20,000 for the figures of a release. */
    private static final int TOKENS = Integer.getInteger("tidestream.console.tokens", 2000);
    private static final int SECONDS = 3; // that frames are counted for
    private static final int TOKENS_OF_A_VERSION = 60; // where all colours are wanted
    private static final int COLOURS = 6;

    private static FluentServer server;

    @BeforeAll
    static void start() throws Exception {
        server = new FluentServer();
    }

    @AfterAll
    static void stop() throws Exception {
        server.close();
    }

    private static Object evaluate(Page page, String expression) {
        return Objects.requireNonNull(page.evaluate(expression));
    }

    @ParameterizedTest
    @EnumSource(names = {"LIGHT", "DARK"})
    void shouldHaveContrast(ColorScheme scheme) throws Exception {
        try (FluentServer colourful = new FluentServer(TOKENS_OF_A_VERSION); BrowserPage browser = BrowserPage.at(colourful.port(),
                new Browser.NewContextOptions().setViewportSize(1440, 900).setColorScheme(scheme))) {
            browser.page.locator("#pace").focus();
            browser.page.keyboard().press("End");
            browser.page.fill("#max-tokens", String.valueOf(COLOURS * TOKENS_OF_A_VERSION));
            browser.page.click("#start");
            browser.await("document.querySelector('#start').disabled");
            browser.await("!document.querySelector('#start').disabled");
            assertEquals(COLOURS, browser.number("new Set([...document.querySelectorAll('.tokens span:not(.prompt)')]"
                    + ".flatMap(e => [...e.classList]).filter(name => /^v\\d$/.test(name))).size"));
            for (String name : PAGES) {
                if (!name.equals("Playground")) {
                    browser.go(name);
                }
                assertEquals(List.of(), evaluate(browser.page, CONTRASTS), name + " in " + scheme);
            }
        }
    }

    @Test
    void shouldReachEveryControlByTab() {
        try (BrowserPage browser = BrowserPage.at(server.port())) {
            for (String name : PAGES) {
                browser.go(name);
                int controls = ((List<?>) evaluate(browser.page, CONTROLS)).size();
                assertTrue(controls > 8, name + ": " + controls);
                browser.page.evaluate("() => { window.reached = new Set(); document.activeElement?.blur();"
                        + "document.addEventListener('focusin', e => reached.add(e.target.dataset.control)); }");
                for (int i = 0; i < 2 * controls; i++) {
                    browser.page.keyboard().press("Tab");
                }
                assertEquals(List.of(), evaluate(browser.page, "() => [...document.querySelectorAll('[data-control]')]"
                        + ".filter(e => !reached.has(e.dataset.control)).map(e => e.outerHTML.slice(0, 120))"), name);
            }
        }
    }

    @Test
    void shouldNameEveryControl() {
        try (BrowserPage browser = BrowserPage.at(server.port())) {
            for (String name : PAGES) {
                browser.go(name);
                assertEquals(List.of(), evaluate(browser.page, """
                        () => [...document.querySelectorAll('button, input, select, textarea, [role=region], [role=img], nav')]
                          .filter(e => !(e.getAttribute('aria-label') || e.labels?.length || e.textContent.trim()))
                          .map(e => e.outerHTML.slice(0, 120))"""), name);
                assertEquals(1, browser.number("document.querySelectorAll('h1').length"), name);
                assertEquals(1, browser.number("document.querySelectorAll('main').length"), name);
            }
        }
    }

    @Test
    void shouldFitAPhone() {
        try (BrowserPage browser = BrowserPage.at(server.port(), new Browser.NewContextOptions().setViewportSize(390, 844))) {
            for (String name : PAGES) {
                browser.go(name);
                assertTrue(browser.number("document.documentElement.scrollWidth") <= 390, name);
            }
        }
    }

    /** Frames are compared with those of the same page while nothing comes, since other work on this machine takes some of both. */
    @Test
    void shouldStayLightAndStillInALongStream() {
        try (BrowserPage browser = BrowserPage.at(server.port())) {
            Page page = browser.page;
            page.locator("#pace").focus();
            page.keyboard().press("End");
            page.fill("#max-tokens", "1000000");
            page.click("#start");
            browser.await("tidestream.page.view.tokens.length > " + TOKENS);
            page.locator("#pace").focus();
            page.keyboard().press("Home");
            browser.await("document.querySelector('.tank.held') !== null");
            double still = browser.framesPerSecond(SECONDS);
            for (int i = 0; i < 8; i++) {
                page.keyboard().press("ArrowRight"); // to 200 tokens/s
            }
            page.evaluate("""
                    () => {
                      window.shifts = [];
                      new PerformanceObserver(list => list.getEntries().forEach(e => shifts.push(e.value))).observe({ type: 'layout-shift' });
                    }""");
            double before = browser.number("tidestream.page.view.tokens.length");
            double streaming = browser.framesPerSecond(SECONDS);
            double speed = (browser.number("tidestream.page.view.tokens.length") - before) / SECONDS;
            double heapMb = browser.number("performance.memory.usedJSHeapSize") / 1e6;
            double nodes = browser.number("document.querySelectorAll('*').length");
            System.out.printf("console: after %d tokens %.0f frames/s at %.0f tokens/s (%.0f while nothing comes), heap "
                    + "%.0f MB, %.0f elements%n",
                    TOKENS, streaming, speed, still, heapMb, nodes);
            assertEquals(List.of(), evaluate(page, "shifts"), "nothing moves while tokens come");
            assertTrue(heapMb < 300, "heap of " + heapMb + " MB");
            assertTrue(nodes < 6000, "elements: " + nodes);
            assertTrue(speed > 50, "tokens/s: " + speed);
            assertTrue(streaming >= Math.min(50, 0.6 * still), "frames/s: %s, while nothing comes %s".formatted(streaming, still));
            assertTrue(browser.number("tidestream.page.view.text.length") > 4 * TOKENS);
        }
    }
}
