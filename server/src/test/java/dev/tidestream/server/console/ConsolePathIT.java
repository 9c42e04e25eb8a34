package dev.tidestream.server.console;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;

import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.options.AriaRole;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.server.app.ServerConfig;
import dev.tidestream.server.app.TidestreamServer;
import dev.tidestream.server.engine.EngineConfig;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** What a newcomer does, with the embedded model: each page does what it says, and nothing goes wrong on the way. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
@ExtendWith(TestBrowser.class)
class ConsolePathIT {
    private static final String TOKEN = "a-token-of-this-test-alone";
    private static final int COLOURS = 6;
    private static final long PATIENCE_NS = 60_000_000_000L;

    @TempDir
    @SuppressWarnings("NullAway.Init") // before all tests
    static Path temp;

    @SuppressWarnings("NullAway.Init") // before all tests
    private static TidestreamServer server;

    @BeforeAll
    static void start() throws IOException {
        Path token = Files.writeString(temp.resolve("token"), TOKEN + "\n");
        Files.setPosixFilePermissions(token, PosixFilePermissions.fromString("rw-------"));
        ServerConfig config = ServerConfig.DEFAULT.withPort(0)
                .withEngine(EngineConfig.DEFAULT.withKvMemoryBytes(64L << 20).withMaxSequences(4))
                .withCompute(ServerConfig.Compute.DEFAULT.withThreads(1));
        server = TidestreamServer.start(config.withUpdates(config.updates().withDataDir(temp.resolve("data")).withTokenFile(token)));
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    /** Those of a page that was closed end a little later. */
    @AfterEach
    void awaitTheEndOfItsStreams() {
        long begunNs = System.nanoTime();
        while (!server.running().engine().streams().join().isEmpty()) {
            assertTrue(System.nanoTime() - begunNs < PATIENCE_NS, "streams of a page that is closed");
        }
    }

    @Test
    void shouldStreamHoldAndStop() {
        try (BrowserPage browser = BrowserPage.at(server.port())) {
            Page page = browser.page;
            page.fill("#prompt", "The old king");
            page.fill("#max-tokens", "400");
            page.click("#start");
            browser.await("tidestream.page.view.tokens.length > 10");
            page.locator("#pace").focus();
            page.keyboard().press("Home");
            browser.await("document.querySelector('.tank.held') !== null");
            double held = browser.number("tidestream.page.view.tokens.length");
            browser.frames(30); // in which the server makes nothing
            assertEquals(held, browser.number("tidestream.page.view.tokens.length"), "held back by its credit");
            assertEquals("held", browser.figure("State"));
            assertEquals(1, server.running().stats().streams().parked(), "and the scheduler knows it");
            page.keyboard().press("ArrowRight");
            page.keyboard().press("End");
            browser.await("tidestream.page.view.tokens.length > " + (held + 20));
            page.click("#stop-stream");
            browser.await("!document.querySelector('#start').disabled");
            assertTrue(browser.figure("State").matches("stopped|length|ended"), browser.figure("State"));
            assertTrue(browser.figure("First token").matches("[\\d.]+ ms"), browser.figure("First token"));

            page.locator(".tokens").focus();
            page.keyboard().press("ArrowRight");
            browser.await("document.querySelectorAll('.alternatives .bar').length >= 5");
            assertTrue(page.locator(".detail").innerText().contains("number 1, probability"), page.locator(".detail").innerText());
            browser.requireFaultless();
        }
    }

    @Test
    @Order(1) // before the weights are others, with which one token may be all that ever comes
    void shouldCompareTwoSeeds() {
        try (BrowserPage browser = BrowserPage.at(server.port())) {
            browser.go("Compare");
            browser.page.click("#run-both");
            browser.await("/first difference is at token \\d+/.test(document.querySelector('.note').textContent)");
            browser.page.fill("#seed-B", browser.page.inputValue("#seed-A"));
            browser.page.click("#run-both");
            browser.await("/No difference in \\d+ tokens/.test(document.querySelector('.note').textContent)");
            browser.requireFaultless();
        }
    }

    /** The class of a version's colour. */
    private static String colour(long version) {
        return "v" + (version - 1) % COLOURS;
    }

    @Test
    void shouldShowNewWeightsInARunningStream() {
        long first = server.running().weightsVersion();
        try (BrowserPage browser = BrowserPage.at(server.port())) {
            Page page = browser.page;
            browser.go("Weights");
            browser.enterToken(TOKEN);
            page.click("#follow");
            browser.await("document.querySelectorAll('.tokens .%s').length > 0".formatted(colour(first)));
            pushRows(browser, first + 1);
            browser.await("document.querySelectorAll('.tokens .%s:not(.badge)').length > 0".formatted(colour(first + 1)));
            browser.await("document.querySelector('.timeline [aria-current]').textContent.includes('rows of token_embd.weight')");
            assertEquals(first + 1, server.running().weightsVersion());
            button(page, "Roll back to version " + first).click();
            browser.await("document.querySelectorAll('.tokens .%s:not(.badge)').length > 0".formatted(colour(first + 2)));
            assertEquals(first + 2, server.running().weightsVersion());
            page.click("#follow");
            page.setViewportSize(390, 844);
            assertTrue(browser.number("document.documentElement.scrollWidth") <= 390, "on a phone");
            button(page, "Verify version " + (first + 2)).click();
            browser.await("/Version %d is sound: \\d+ tensors/.test(document.querySelector('[aria-label=Versions] .note').textContent)"
                    .formatted(first + 2));
            browser.requireFaultless();
        }
    }

    private static Locator button(Page page, String name) {
        return page.getByRole(AriaRole.BUTTON, new Page.GetByRoleOptions().setName(name).setExact(true));
    }

    private static void pushRows(BrowserPage browser, long version) {
        browser.page.fill("#rows-tokens", " the");
        browser.page.selectOption("#rows-content", "0.5"); // other rows each time
        browser.page.click("#push-rows");
        browser.await("/Version %d: 1 row changed/.test(document.querySelector('[aria-label=\"New version\"] .note').textContent)"
                .formatted(version));
    }

    @Test
    void shouldTryAHeldVersionAsACanaryAndPublishIt() {
        long before = server.running().weightsVersion();
        try (BrowserPage browser = BrowserPage.at(server.port())) {
            Page page = browser.page;
            browser.enterToken(TOKEN);
            browser.go("Weights");
            page.check("#hold");
            page.click("#push-rows");
            browser.await("document.querySelector('#canary-version')?.value === '%d'".formatted(before + 1));
            assertEquals(before, server.running().weightsVersion(), "it is held");
            page.fill("#canary-share", "100");
            page.click("#canary-start");
            page.click("#follow");
            browser.await("Number(document.querySelector('[aria-label=Canary] tbody td')?.textContent) > 0");
            browser.await("document.querySelectorAll('.tokens .%s:not(.badge)').length > 0".formatted(colour(before + 1)));
            page.click("#canary-promote");
            browser.await("document.querySelector('[aria-label=Canary]').textContent.includes('promoted')");
            assertEquals(before + 1, server.running().weightsVersion());
            page.click("#follow");
            browser.requireFaultless();
        }
    }

    @Test
    void shouldCompareWithAVersionThatIsKept() {
        long before = server.running().weightsVersion();
        try (BrowserPage browser = BrowserPage.at(server.port())) {
            Page page = browser.page;
            browser.enterToken(TOKEN);
            browser.go("Compare");
            page.getByText("Versions", new Page.GetByTextOptions().setExact(true)).click();
            button(page, "Keep version %d in memory".formatted(before)).click();
            browser.go("Weights");
            pushRows(browser, before + 1);
            browser.go("Compare");
            page.getByText("Versions", new Page.GetByTextOptions().setExact(true)).click();
            page.fill("#version-A", String.valueOf(before));
            page.click("#run-both");
            browser.await("/difference/.test(document.querySelector('.note').textContent)");
            for (String side : List.of("A v" + before, "B v" + (before + 1))) {
                String shown = page.locator("[aria-label='Stream %s'] .tiles".formatted(side.substring(0, 1))).innerText();
                assertTrue(shown.contains(side.substring(2)), side + " in " + shown);
            }
            button(page, "Let version %d go".formatted(before)).click();
            button(page, "Keep version %d in memory".formatted(before + 1)).waitFor();
            browser.requireFaultless();
        }
    }

    @Test
    void shouldShowAnUpdateOfManyTensorsByItsLabel() throws Exception {
        long before = server.running().weightsVersion();
        try (BrowserPage browser = BrowserPage.at(server.port())) {
            browser.enterToken(TOKEN);
            browser.go("Weights");
            byte[] part = oneNorm();
            String update = "/admin/weights/updates";
            admin("POST", update, "{\"update_id\":\"u1\",\"base_version\":%d,\"label\":\"step 7\"}".formatted(before).getBytes(UTF_8));
            admin("PUT", update + "/u1/parts/0", part);
            admin("POST", update + "/u1/commit", "{}".getBytes(UTF_8));
            browser.await("document.querySelector('.timeline [aria-current]')?.textContent.includes('step 7: 1 tensor')");
            browser.requireFaultless();
        }
    }

    /** A safetensors file with the last norm, as ones. */
    private static byte[] oneNorm() {
        int hidden = server.running().blueprint().hiddenSize();
        byte[] header = "{\"output_norm.weight\":{\"dtype\":\"F32\",\"shape\":[%d],\"data_offsets\":[0,%d]}}".formatted(hidden, 4 * hidden)
                .getBytes(UTF_8);
        ByteBuffer file = ByteBuffer.allocate(8 + header.length + 4 * hidden).order(ByteOrder.LITTLE_ENDIAN);
        file.putLong(header.length).put(header);
        for (int i = 0; i < hidden; i++) {
            file.putFloat(1);
        }
        return file.array();
    }

    private static void admin(String method, String path, byte[] body) throws Exception {
        String sha256 = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(body));
        try (HttpClient client = HttpClient.newHttpClient()) {
            HttpResponse<String> answer = client.send(HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port() + path))
                    .header("Authorization", "Bearer " + TOKEN).header("x-content-sha256", sha256)
                    .method(method, HttpRequest.BodyPublishers.ofByteArray(body)).build(), HttpResponse.BodyHandlers.ofString());
            assertEquals(2, answer.statusCode() / 100, answer.body());
        }
    }

    @Test
    void shouldChangeTheHeadAndShowTheProof() {
        try (BrowserPage browser = BrowserPage.at(server.port())) {
            Page page = browser.page;
            browser.enterToken(TOKEN);
            browser.go("Head");
            page.check("[value=cached-transpose]");
            page.click("#set-mode");
            page.getByRole(AriaRole.HEADING, new Page.GetByRoleOptions().setName("Verification: the same logits")).waitFor();
            assertEquals("cached-transpose", server.running().epochs().newest().headMode().wireName());
            page.setViewportSize(390, 844);
            assertTrue(browser.number("document.documentElement.scrollWidth") <= 390, "on a phone");
            browser.requireFaultless();
        }
    }

    @Test
    void shouldListStreamsAndChartTheLoad() {
        try (BrowserPage browser = BrowserPage.at(server.port()); BrowserPage other = BrowserPage.at(server.port())) {
            other.page.locator("#pace").focus();
            other.page.keyboard().press("Home");
            other.page.click("#start");
            browser.go("Streams");
            browser.enterToken(TOKEN);
            browser.await("/no demand/.test(document.querySelector('tbody')?.textContent)");
            browser.go("Load");
            other.page.locator("#pace").focus();
            other.page.keyboard().press("End");
            browser.await("document.querySelectorAll('figure')[2].querySelectorAll('path').length === 1");
            browser.requireFaultless();
            other.requireFaultless();
        }
    }

    @Test
    void shouldKeepSecretsInMemoryOnly() {
        try (BrowserPage browser = BrowserPage.at(server.port())) {
            browser.enterToken(TOKEN);
            browser.go("Head");
            browser.page.locator("#set-mode").waitFor();
            assertEquals(0, browser.number("localStorage.length + sessionStorage.length + document.cookie.length"));
            assertTrue(!browser.page.url().contains(TOKEN) && !browser.page.content().contains(TOKEN), browser.page.url());
            browser.page.reload();
            browser.go("Head");
            browser.page.getByText("needs the administrators' token").waitFor();
            browser.requireFaultless();
        }
    }
}
