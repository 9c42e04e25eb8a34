package dev.tidestream.server.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** What the README shows is what the checkout has. */
class ReadmeTest {
    private static final Path ROOT = LauncherCheckout.repository();

    @Test
    void shouldShowTheClientThatIsAmongTheExamples() throws Exception {
        Matcher block = Pattern.compile("```js\\n(.*?)```", Pattern.DOTALL).matcher(Files.readString(ROOT.resolve("README.md")));
        assertTrue(block.find());
        assertEquals(Files.readString(ROOT.resolve("docs/examples/client.mjs")), block.group(1));
    }

    @Test
    void shouldLinkToFilesThatAreThere() throws Exception {
        try (Stream<Path> docs = Files.walk(ROOT.resolve("docs"))) {
            Stream<Path> pages = Stream.concat(Stream.of(ROOT.resolve("README.md")), docs);
            for (Path page : pages.filter(file -> file.toString().endsWith(".md")).toList()) {
                Matcher link = Pattern.compile("\\]\\(([^)#:]+)(#[^)]*)?\\)").matcher(Files.readString(page));
                while (link.find()) {
                    assertTrue(Files.exists(page.resolveSibling(link.group(1))), page + ": " + link.group());
                }
            }
        }
    }
}
