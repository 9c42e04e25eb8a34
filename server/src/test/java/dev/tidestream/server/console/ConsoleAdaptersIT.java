package dev.tidestream.server.console;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.LinkedHashMap;

import com.microsoft.playwright.Page;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.model.SharedData;
import dev.tidestream.server.adapters.AdapterLimits;
import dev.tidestream.server.app.ServerConfig;
import dev.tidestream.server.app.TidestreamServer;
import dev.tidestream.server.engine.EngineConfig;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Adapters in the console: loaded, chosen, seen in streams, compared with the model alone, unloaded. */
@ExtendWith(TestBrowser.class)
class ConsoleAdaptersIT {
    private static final String TOKEN = "a-token-of-this-test-alone";

    @TempDir
    Path temp;

    private TidestreamServer server() throws Exception {
        Path token = Files.writeString(temp.resolve("token"), TOKEN + "\n");
        Files.setPosixFilePermissions(token, PosixFilePermissions.fromString("rw-------"));
        Path suite = SharedData.path("ties/suite");
        ServerConfig config = ServerConfig.DEFAULT.withPort(0).withModel(suite.resolve("base-tied-embed-only/hf"))
                .withEngine(EngineConfig.DEFAULT.withKvMemoryBytes(32L << 20).withMaxSequences(4))
                .withCompute(ServerConfig.Compute.DEFAULT.withThreads(1))
                .withAdapters(new ServerConfig.Adapters(new LinkedHashMap<>(), new AdapterLimits(4, 1L << 20, suite)));
        return TidestreamServer.start(config.withUpdates(config.updates().withTokenFile(token)));
    }

    @Test
    void shouldLoadChooseCompareAndUnload() throws Exception {
        try (TidestreamServer server = server(); BrowserPage browser = BrowserPage.at(server.port())) {
            Page page = browser.page;
            assertTrue(page.locator("#adapter").isHidden(), "there is none");
            browser.enterToken(TOKEN);
            browser.go("Weights");
            browser.await("document.querySelector('[aria-label=Adapters]').textContent.includes('None is served')");
            page.fill("#adapter-name", "law");
            page.fill("#adapter-path", "adapter-qv/adapter");
            page.getByText("Load an adapter").click();
            browser.await("document.querySelector('[aria-label=Adapters] tbody td')?.textContent.startsWith('law')");

            browser.go("Compare");
            page.getByText("Adapters", new Page.GetByTextOptions().setExact(true)).click();
            browser.await("document.querySelectorAll('#adapter-B option').length === 2");
            page.selectOption("#adapter-B", "law");
            page.fill("#compare-prompt", "The tenant");
            page.fill("#compare-temperature", "0");
            page.fill("#compare-tokens", "30");
            page.click("#run-both");
            browser.await("/difference/.test(document.querySelector('.note').textContent)");

            browser.go("Playground");
            browser.await("!document.querySelector('#adapter').closest('label').hidden");
            page.selectOption("#adapter", "law");
            page.locator("#pace").focus();
            page.keyboard().press("Home");
            page.click("#start");
            browser.await("document.querySelector('dl.tiles dd').textContent === 'held'");
            assertEquals("law", server.running().engine().streams().join().getFirst().adapter());
            browser.requireFaultless();
        }
    }

    @Test
    void shouldShowWhichStreamHasWhichAndWhyALoadIsRefused() throws Exception {
        try (TidestreamServer server = server(); BrowserPage browser = BrowserPage.at(server.port());
                BrowserPage other = BrowserPage.at(server.port())) {
            browser.enterToken(TOKEN);
            browser.go("Weights");
            browser.page.fill("#adapter-name", "wrong");
            browser.page.fill("#adapter-path", "adapter-wrong-shape/adapter");
            browser.page.getByText("Load an adapter").click();
            browser.await("document.querySelector('[aria-label=Adapters] .note.bad')?.textContent.includes('invalid_adapter')");
            browser.page.fill("#adapter-name", "head");
            browser.page.fill("#adapter-path", "adapter-head/adapter");
            browser.page.getByText("Load an adapter").click();
            browser.await("document.querySelector('[aria-label=Adapters] tbody td')?.textContent.startsWith('head')");
            other.page.reload();
            other.await("!document.querySelector('#adapter').closest('label').hidden");
            other.page.selectOption("#adapter", "head");
            other.page.locator("#pace").focus();
            other.page.keyboard().press("Home");
            other.page.click("#start");
            browser.go("Streams");
            browser.await("/no demand.*head/.test(document.querySelector('tbody')?.textContent)");
            browser.go("Weights");
            browser.page.getByLabel("Unload head").click();
            browser.await("document.querySelector('[aria-label=Adapters]').textContent.includes('None is served')");
            browser.requireFaultless();
            other.requireFaultless();
        }
    }
}
