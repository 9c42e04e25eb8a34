package dev.tidestream.server.console;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

import com.microsoft.playwright.Page;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.server.app.ServerConfig;
import dev.tidestream.server.app.TidestreamServer;
import dev.tidestream.server.engine.EngineConfig;
import dev.tidestream.server.keys.ApiKey;
import dev.tidestream.server.keys.KeyFile;
import dev.tidestream.server.keys.KeyHash;
import dev.tidestream.server.keys.KeyLimits;
import dev.tidestream.server.keys.KeyText;
import dev.tidestream.server.transport.AccessRules;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** With keys, with the wrong token, with a model that does not chat: what the server says is what the page shows. */
@ExtendWith(TestBrowser.class)
class ConsoleAccessIT {
    private static final ServerConfig CONFIG = ServerConfig.DEFAULT.withPort(0)
            .withEngine(EngineConfig.DEFAULT.withKvMemoryBytes(32L << 20).withMaxSequences(2))
            .withCompute(ServerConfig.Compute.DEFAULT.withThreads(1));

    @TempDir
    Path temp;

    private static TidestreamServer server(AccessRules access) {
        return TidestreamServer.start(CONFIG.withTransport(CONFIG.transport().withAccess(access)));
    }

    @Test
    void shouldAskForTheKeyAndUseIt() throws Exception {
        KeyFile file = new KeyFile(temp.resolve("api-keys"));
        String key = KeyText.generate();
        file.add(new ApiKey("alice", KeyHash.of(key), KeyLimits.NONE));
        try (TidestreamServer server = server(new AccessRules(List.of(), List.of()).withApiKeys(file.path()));
                BrowserPage browser = BrowserPage.at(server.port())) {
            browser.page.locator("dialog #api-key").waitFor();
            browser.page.fill("#api-key", "ts-wrong");
            browser.page.click("#access-save");
            browser.await("document.querySelector('#model').textContent.startsWith('Incorrect API key')");
            browser.page.fill("#api-key", key);
            browser.page.click("#access-save");
            browser.await("document.querySelector('#model').textContent.includes('parameters')");
            browser.await("document.querySelector('#versions').textContent.includes('weights v1')"); // watched with the new key
            browser.page.click("#start");
            browser.await("tidestream.page.view.tokens.length > 5");
        }
    }

    @Test
    void shouldSayWhyItIsRefused() {
        try (TidestreamServer server = server(AccessRules.OWN); BrowserPage browser = BrowserPage.at(server.port())) {
            browser.enterToken("not-the-token-of-this-server");
            browser.go("Head");
            browser.await("document.querySelector('.note.bad')?.textContent.includes('a bearer token is required')");
            browser.go("Playground");
            browser.page.getByText("Chat", new Page.GetByTextOptions().setExact(true)).click();
            browser.page.fill("#prompt", "Who are you?");
            browser.page.click("#start");
            browser.await("document.querySelector('.note.bad')?.textContent.includes('no chat template')");
            assertEquals("Who are you?", browser.page.inputValue("#prompt"), "to be sent again");
        }
    }

    /** Every one is counted against the address, and a list that is asked for each second would soon shut out who may come in. */
    @Test
    void shouldShowAWrongTokenOnce() {
        try (TidestreamServer server = server(AccessRules.OWN); BrowserPage browser = BrowserPage.at(server.port())) {
            AtomicInteger sockets = new AtomicInteger();
            browser.page.onWebSocket(socket -> {
                if (socket.url().endsWith("/v1/admin")) {
                    sockets.incrementAndGet();
                }
            });
            browser.page.clock().install();
            browser.enterToken("not-the-token-of-this-server");
            browser.go("Streams");
            browser.await("document.querySelector('.note.bad')?.textContent.includes('a bearer token is required')");
            for (int i = 0; i < 3; i++) {
                browser.page.clock().runFor(2000);
                browser.page.evaluate("() => fetch('/health/live').then(response => response.text())"); // events of before have come
            }
            assertEquals(1, sockets.get());
        }
    }

    @Test
    void shouldConnectAgainWhenTheServerIsBack() {
        TidestreamServer first = server(AccessRules.OWN);
        try (BrowserPage browser = BrowserPage.at(first.port())) {
            String shown = "document.querySelector('#versions').textContent.includes('weights v1')";
            browser.await(shown);
            first.close();
            browser.page.evaluate("() => document.querySelector('#versions').replaceChildren()");
            try (TidestreamServer second = TidestreamServer.start(CONFIG.withPort(first.port()))) {
                assertEquals(first.port(), second.port());
                browser.await(shown);
            }
        } finally {
            first.close();
        }
    }

    /** Such as have no highlights: tokens cannot be chosen there, and all else works. */
    @Test
    void shouldWorkInAnOlderBrowser() throws Exception {
        try (FluentServer server = new FluentServer(); BrowserPage browser = BrowserPage.at(server.port())) {
            browser.page.addInitScript("delete window.Highlight; Object.defineProperty(CSS, 'highlights', { value: undefined });");
            browser.page.reload();
            assertEquals("undefined", browser.page.evaluate("() => typeof Highlight"));
            browser.page.click("#start");
            browser.await("tidestream.page.view.tokens.length > 5");
            browser.requireFaultless();
        }
    }

    @Test
    void shouldForgetAnAnswerThatStillComes() throws Exception {
        try (FluentServer server = new FluentServer(); BrowserPage browser = BrowserPage.at(server.port())) {
            browser.page.getByText("Chat", new Page.GetByTextOptions().setExact(true)).click();
            browser.page.fill("#max-tokens", "1000000");
            browser.page.fill("#prompt", "Who was it?");
            browser.page.click("#start");
            browser.await("tidestream.page.view.tokens.length > 5");
            browser.page.getByText("New chat").click();
            browser.page.fill("#max-tokens", "30");
            browser.page.fill("#prompt", "And why?");
            browser.page.click("#start");
            browser.await("document.querySelector('#start').disabled");
            browser.await("!document.querySelector('#start').disabled");
            assertEquals(30, browser.number("tidestream.page.view.tokens.length"));
            String said = browser.page.locator(".tokens").innerText();
            assertTrue(said.matches("(?s)You\\s+And why\\?\\s+Model\\s+the old king went.*"), said);
            browser.requireFaultless();
        }
    }

    @Test
    void shouldChat() throws Exception {
        try (FluentServer server = new FluentServer(); BrowserPage browser = BrowserPage.at(server.port())) {
            browser.page.getByText("Chat", new Page.GetByTextOptions().setExact(true)).click();
            browser.page.fill("#max-tokens", "30");
            for (String message : List.of("Who was it?", "And why?")) {
                browser.page.fill("#prompt", message);
                browser.page.click("#start");
                browser.await("!document.querySelector('#start').disabled");
            }
            String said = browser.page.locator(".tokens").innerText();
            assertTrue(said.matches("(?s)You\\s+Who was it\\?\\s+Model\\s+the old king went.*You\\s+And why\\?\\s+Model\\s+the "
                    + "old king went.*"), said);
        }
    }
}
