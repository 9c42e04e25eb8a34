package dev.tidestream.server.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
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
        List<Path> pages = new ArrayList<>(List.of(ROOT.resolve("README.md")));
        try (Stream<Path> tree = Files.walk(ROOT.resolve("docs"))) {
            tree.filter(file -> file.toString().endsWith(".md")).forEach(pages::add);
            for (Path page : pages) {
                Matcher link = Pattern.compile("\\]\\(([^)#:]+)(#[^)]*)?\\)").matcher(Files.readString(page));
                while (link.find()) {
                    assertTrue(Files.exists(page.resolveSibling(link.group(1))), page + ": " + link.group());
                }
            }
        }
    }
}
