package dev.tidestream.server.console;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

import com.microsoft.playwright.Browser;
import com.microsoft.playwright.BrowserType;
import com.microsoft.playwright.Playwright;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.opentest4j.TestAbortedException;

/**
 * The system's Chromium, started once for all test classes of this JVM and ended after the last: its driver is unpacked each time that it
 * starts. Where there is no Chromium, tests that ask for it are skipped and say so. The thread of the tests.
 */
final class TestBrowser implements BeforeAllCallback {
    private static final List<String> PLACES = List.of(
            "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome", "/usr/bin/google-chrome-stable", "/snap/bin/chromium");

    private static @Nullable Started started;

    /** Of the whole run: closed when all tests are over. */
    private static final class Started implements AutoCloseable {
        private final Playwright playwright =
                Playwright.create(new Playwright.CreateOptions().setEnv(Map.of("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1")));
        private final Browser browser;

        Started(Path chromium) {
            browser = playwright.chromium().launch(new BrowserType.LaunchOptions()
                    .setExecutablePath(chromium)
                    .setArgs(List.of("--no-sandbox", "--enable-precise-memory-info"))); // in a container there may be no sandbox
        }

        @Override
        public void close() {
            playwright.close();
        }
    }

    @Override
    public void beforeAll(ExtensionContext context) {
        chromium().ifPresent(path -> started = context.getRoot().getStore(ExtensionContext.Namespace.create(TestBrowser.class))
                .computeIfAbsent(Started.class, _ -> new Started(path), Started.class));
    }

    /** Skips the test where there is none. */
    static Browser get() {
        Started now = started;
        if (now == null) {
            throw new TestAbortedException("no Chromium on this machine, so the console is not tested in a browser: " + PLACES);
        }
        return now.browser;
    }

    private static Optional<Path> chromium() {
        return Stream.concat(Stream.ofNullable(System.getenv("CHROMIUM")), PLACES.stream()).map(Path::of).filter(Files::isExecutable).findFirst();
    }
}
