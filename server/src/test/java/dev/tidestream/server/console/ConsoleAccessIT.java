package dev.tidestream.server.console;

import java.nio.file.Path;
import java.util.List;

import com.microsoft.playwright.Page;
import org.junit.jupiter.api.Test;
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
