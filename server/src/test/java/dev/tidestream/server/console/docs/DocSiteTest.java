package dev.tidestream.server.console.docs;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.junit.jupiter.api.Test;

import dev.tidestream.server.console.StaticFile;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** The documentation as this build packs it: every page is there, and every link leads somewhere. */
class DocSiteTest {
    private static final Path REPOSITORY = Path.of("..");
    private static final Path CONSOLE = Path.of("src/main/resources/console");
    private static final Pattern ADDRESS = Pattern.compile("\\s(?:href|src)=\"([^\"]*)\"");
    private static final Pattern ANCHOR = Pattern.compile("\\sid=\"([^\"]*)\"");

    private final DocFiles files = DocFiles.packed();
    private final DocSite site = new DocSite(files);

    private String html(String path) {
        StaticFile file = site.at(path).orElseThrow(() -> new AssertionError("no page: " + path));
        return new String(file.bytes(), StandardCharsets.UTF_8);
    }

    @Test
    void shouldHaveAllThatTheRepositoryHas() throws IOException {
        Set<String> expected = new TreeSet<>(Set.of("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE",
                "server/src/main/resources/dev/tidestream/starter/README.md"));
        try (Stream<Path> docs = Files.walk(REPOSITORY.resolve("docs"))) {
            docs.filter(Files::isRegularFile).forEach(file -> expected.add(REPOSITORY.relativize(file).toString().replace('\\', '/')));
        }
        assertEquals(List.copyOf(expected), files.all());
        assertEquals(Files.readString(REPOSITORY.resolve("docs/protocol.md")), files.text("docs/protocol.md"));
    }

    @Test
    void shouldListEveryPageOnce() {
        List<String> listed = Navigation.of(files, file -> file).groups().stream()
                .flatMap(group -> group.entries().stream()).map(Navigation.Entry::file).toList();
        assertEquals(files.all().stream().filter(DocLinks::isPage).toList(), listed.stream().sorted().toList());
        assertEquals("README.md", listed.getFirst());
    }

    /** From the first page, by all links: each has its page, and its place there, and none has a part of another host. */
    @Test
    void shouldLeadNowhereThatIsNotThere() {
        Deque<String> left = new ArrayDeque<>(List.of(""));
        Set<String> seen = new HashSet<>(left);
        Map<String, Set<String>> wanted = new HashMap<>(); // anchors, by page
        List<String> faults = new ArrayList<>();
        while (!left.isEmpty()) {
            String page = left.remove();
            Optional<StaticFile> file = site.at(page);
            if (file.isEmpty()) {
                faults.add("no such page: " + page);
            } else if (file.get().contentType().startsWith("text/html")) {
                Matcher address = ADDRESS.matcher(html(page));
                while (address.find()) {
                    follow(page, address.group(1), faults, wanted).filter(seen::add).ifPresent(left::add);
                }
            }
        }
        wanted.forEach((page, anchors) -> {
            Set<String> there = new HashSet<>();
            Matcher anchor = ANCHOR.matcher(html(page));
            while (anchor.find()) {
                there.add(anchor.group(1));
            }
            anchors.stream().filter(wish -> !there.contains(wish)).forEach(wish -> faults.add("no such place: " + page + "#" + wish));
        });
        assertEquals(List.of(), faults);
        for (String file : files.all()) {
            assertTrue(!DocLinks.isPage(file) || seen.contains(DocLinks.sitePath(file)), "no way to " + file);
        }
        assertTrue(wanted.values().stream().mapToInt(Set::size).sum() > 50, "anchors: " + wanted);
    }

    /** The path that it leads to on the site, if it does. */
    private static Optional<String> follow(String page, String address, List<String> faults, Map<String, Set<String>> wanted) {
        if (address.matches("https?://.*|mailto:.*")) {
            return Optional.empty(); // for whoever follows it; nothing is loaded from there
        }
        int hash = address.indexOf('#');
        String path = hash < 0 ? address : address.substring(0, hash);
        Path target = Path.of("/docs").resolve(page).resolveSibling("").resolve(path).normalize();
        if (page.endsWith("/") || page.isEmpty()) {
            target = Path.of("/docs").resolve(page).resolve(path).normalize();
        }
        if (path.isEmpty()) {
            target = Path.of("/docs").resolve(page);
        }
        if (!target.startsWith("/docs")) {
            boolean there = target.equals(Path.of("/")) || Files.exists(CONSOLE.resolve(Path.of("/console").relativize(target)));
            if (!there) {
                faults.add("%s: %s".formatted(page, address));
            }
            return Optional.empty();
        }
        String to = Path.of("/docs").relativize(target) + (path.endsWith("/") && !target.equals(Path.of("/docs")) ? "/" : "");
        if (hash >= 0) {
            wanted.computeIfAbsent(path.isEmpty() ? page : to, key -> new HashSet<>()).add(address.substring(hash + 1));
        }
        return Optional.of(path.isEmpty() ? page : to);
    }

    /** A source file is none of the site, and is named without a link; but it must be there. */
    @Test
    void shouldNameFilesOfTheRepositoryOnly() {
        DocRenderer renderer = new DocRenderer(files, new DocLinks(files));
        for (String file : files.all()) {
            if (DocLinks.isPage(file)) {
                for (String link : renderer.page(file).elsewhere()) {
                    assertTrue(Files.exists(REPOSITORY.resolve(file).resolveSibling(link.split("#", 2)[0])), file + ": " + link);
                }
            }
        }
    }

    @Test
    void shouldNoteLinksThatLeadNowhere() {
        DocLinks links = new DocLinks(files);
        assertEquals(Optional.of("../protocol#resuming"), links.onSite("docs/adr/0033-x.md", "../protocol.md#resuming"));
        assertEquals(Optional.of("adr/"), links.onSite("README.md", "docs/adr"));
        assertEquals(Optional.of("./"), links.onSite("docs/protocol.md", "../README.md"));
        assertEquals(Optional.of("https://example.com/a.md"), links.onSite("docs/protocol.md", "https://example.com/a.md"));
        for (String nowhere : List.of("none.md", "../../README.md", "../../../etc/passwd", "../pom.xml")) {
            assertEquals(Optional.empty(), links.onSite("docs/protocol.md", nowhere), nowhere);
        }
    }

    @Test
    void shouldHaveNothingElse() {
        for (String path : List.of("none", "../pom.xml", "docs/protocol", "protocol.md", "README", "adr", "/", "..", "protocol/")) {
            assertEquals(Optional.empty(), site.at(path), path);
        }
    }

    @Test
    void shouldShowTablesCodeAndPlaces() {
        String html = html("protocol");
        assertTrue(html.contains("<title>The wire: tidestream.v1 – Tidestream</title>"), html.substring(0, 400));
        assertTrue(html.contains("<h3 id=\"generate\"><code>generate</code></h3>"));
        assertTrue(html.contains("<pre tabindex=\"0\"><code class=\"language-json\">"));
        assertTrue(html.contains("<table>") && html.contains("<td><code>max_tokens</code></td>"));
        assertTrue(html.contains("<a href=\"protocol\" aria-current=\"page\">"));
        assertTrue(html("adr/0037-a-console-without-a-framework").contains("href=\"../../console/style.css\""));
    }

    /** What a page says is text, whatever it looks like. */
    @Test
    void shouldShowHtmlAsText() {
        for (String path : List.of("", "protocol", "openai", "ops/README")) {
            assertEquals(1, html(path).split("<script", -1).length - 1, path);
            assertEquals(0, html(path).split(" style=", -1).length - 1, path);
        }
    }

    @Test
    void shouldFindWhatPagesSay() throws IOException {
        JsonNode sections = new ObjectMapper().readTree(html(DocSite.SEARCH)).path("sections");
        List<String> found = new ArrayList<>();
        for (JsonNode section : sections) {
            if (section.path("text").asText().contains("credit_timeout")) {
                found.add(section.path("page").asText() + "#" + section.path("anchor").asText());
            }
        }
        assertTrue(found.contains("protocol#credit-1"), found.toString());
    }
}
