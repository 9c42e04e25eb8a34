package dev.tidestream.server.console;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;

import com.microsoft.playwright.Page;
import com.microsoft.playwright.options.AriaRole;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.server.app.ServerConfig;
import dev.tidestream.server.app.TidestreamServer;
import dev.tidestream.server.engine.EngineConfig;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** What a newcomer does, with the embedded model: each page does what it says, and nothing goes wrong on the way. */
@ExtendWith(TestBrowser.class)
class ConsolePathIT {
    private static final String TOKEN = "a-token-of-this-test-alone";

    @TempDir
    Path temp;

    private TidestreamServer server;

    @BeforeEach
    void start() throws IOException {
        Path token = Files.writeString(temp.resolve("token"), TOKEN + "\n");
        Files.setPosixFilePermissions(token, PosixFilePermissions.fromString("rw-------"));
        ServerConfig config = ServerConfig.DEFAULT.withPort(0)
                .withEngine(EngineConfig.DEFAULT.withKvMemoryBytes(64L << 20).withMaxSequences(4))
                .withCompute(ServerConfig.Compute.DEFAULT.withThreads(1));
        server = TidestreamServer.start(config.withUpdates(config.updates().withDataDir(temp.resolve("data")).withTokenFile(token)));
    }

    @AfterEach
    void stop() {
        server.close();
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
    void shouldCompareTwoSeeds() {
        try (BrowserPage browser = BrowserPage.at(server.port())) {
            browser.go("Compare");
            browser.page.click("#run-both");
            browser.await("/first difference is at token \\d+/.test(document.querySelector('.note').textContent)");
            browser.page.fill("#seed-B", browser.page.inputValue("#seed-A"));
            browser.page.click("#run-both");
            browser.await("/No difference in 120 tokens/.test(document.querySelector('.note').textContent)");
            browser.requireFaultless();
        }
    }

    @Test
    void shouldShowNewWeightsInARunningStream() {
        try (BrowserPage browser = BrowserPage.at(server.port())) {
            Page page = browser.page;
            browser.go("Weights");
            browser.enterToken(TOKEN);
            page.click("#follow");
            browser.await("document.querySelectorAll('.tokens .v0').length > 0");
            page.fill("#rows-tokens", " the");
            page.click("#push-rows");
            browser.await("document.querySelectorAll('.tokens .v1:not(.badge)').length > 0");
            browser.await("/Version 2: 1 row changed/.test(document.querySelector('.note.good').textContent)");
            browser.await("document.querySelector('.timeline [aria-current]').textContent.includes('rows of token_embd.weight')");
            assertEquals(2, server.running().weightsVersion());
            page.getByRole(AriaRole.BUTTON, new Page.GetByRoleOptions().setName("Roll back to version 1")).click();
            browser.await("document.querySelectorAll('.tokens .v2:not(.badge)').length > 0");
            assertEquals(3, server.running().weightsVersion());
            page.click("#follow");

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
