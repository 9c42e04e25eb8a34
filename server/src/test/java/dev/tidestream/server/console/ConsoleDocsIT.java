package dev.tidestream.server.console;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;

import com.microsoft.playwright.Browser;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.options.AriaRole;
import com.microsoft.playwright.options.ColorScheme;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** The documentation that a server shows: read, gone through and searched in a browser, from this server alone. */
@ExtendWith(TestBrowser.class)
class ConsoleDocsIT {
    private static final List<String> WIDE = List.of("", "protocol", "openai", "limits", "models", "ARCHITECTURE", "ops/README", "adr/");

    @SuppressWarnings("NullAway.Init") // before all tests
    private static FluentServer server;

    @BeforeAll
    static void start() throws Exception {
        server = new FluentServer();
    }

    @AfterAll
    static void stop() throws Exception {
        server.close();
    }

    private static HttpResponse<String> ask(String path, String... headers) throws Exception {
        try (HttpClient client = HttpClient.newHttpClient()) {
            HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port() + path));
            return client.send((headers.length > 0 ? request.headers(headers) : request).build(), HttpResponse.BodyHandlers.ofString());
        }
    }

    @Test
    void shouldSendPagesAsTheConsoleDoes() throws Exception {
        HttpResponse<String> page = ask("/docs/protocol");
        assertEquals(200, page.statusCode(), page.body());
        assertEquals(Optional.of("text/html; charset=utf-8"), page.headers().firstValue("content-type"));
        assertEquals(Optional.of(StaticFile.POLICY), page.headers().firstValue("content-security-policy"));
        String etag = page.headers().firstValue("etag").orElseThrow();
        assertEquals(304, ask("/docs/protocol", "If-None-Match", etag).statusCode());
        assertEquals(Optional.of("image/png"), ask("/docs/images/console-playground.png").headers().firstValue("content-type"));
        assertEquals(Optional.of("text/plain; charset=utf-8"), ask("/docs/LICENSE").headers().firstValue("content-type"));
        HttpResponse<String> without = ask("/docs");
        assertEquals(308, without.statusCode());
        assertEquals(Optional.of("docs/"), without.headers().firstValue("location"));
        for (String path : List.of("/docs/none", "/docs/%2e%2e/pom.xml", "/docs/..%2fpom.xml", "/docs/%ff", "/docs/protocol/")) {
            assertEquals(404, ask(path).statusCode(), path);
        }
        assertEquals(403, ask("/docs/", "Origin", "https://page.example").statusCode(), "of a page elsewhere");
    }

    @Test
    void shouldBeReadAndSearched() {
        try (BrowserPage browser = BrowserPage.at(server.port())) {
            Page page = browser.page;
            page.getByRole(AriaRole.LINK, new Page.GetByRoleOptions().setName("Docs").setExact(true)).click();
            browser.await("document.querySelector('h1')?.textContent === 'Tidestream'");
            browser.await("[...document.querySelectorAll('article img')].every(e => e.complete && e.naturalWidth > 0)");
            page.locator(".pages").getByText("Updates of many tensors, and versions").click();
            browser.await("document.querySelector('h1')?.textContent === 'Updates of many tensors, and versions'");
            page.locator("article").getByText("admin channel").first().click();
            browser.await("location.pathname === '/docs/admin'");
            page.fill("#search", "credit_timeout stalls");
            browser.await("document.querySelectorAll('#found li').length > 0");
            page.locator("#found").getByText("› Credit").first().click();
            browser.await("location.pathname + location.hash === '/docs/protocol#credit-1'");
            page.selectOption("#theme", "dark");
            page.locator("header").getByText("Playground").click();
            browser.await("document.querySelector('h1')?.textContent === 'Playground'");
            assertEquals("dark", page.evaluate("() => document.documentElement.dataset.theme"), "a choice is for all pages");
            browser.requireFaultless();
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"LIGHT", "DARK"})
    void shouldBeReadableAndFitAPhone(ColorScheme scheme) {
        try (BrowserPage browser = BrowserPage.at(server.port(),
                new Browser.NewContextOptions().setViewportSize(390, 844).setColorScheme(scheme))) {
            for (String path : WIDE) {
                browser.page.navigate("http://127.0.0.1:%d/docs/%s".formatted(server.port(), path));
                assertTrue(browser.number("document.documentElement.scrollWidth") <= 390, path);
                assertEquals(1, browser.number("document.querySelectorAll('h1').length"), path);
                browser.await("document.documentElement.dataset.theme === '%s'".formatted(scheme.name().toLowerCase(Locale.ROOT)));
                assertEquals(List.of(), Objects.requireNonNull(browser.page.evaluate(ConsoleLooksIT.CONTRASTS)), path);
            }
            browser.requireFaultless();
        }
    }
}
