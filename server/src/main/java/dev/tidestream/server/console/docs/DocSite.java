package dev.tidestream.server.console.docs;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;

import org.jspecify.annotations.Nullable;

import dev.tidestream.server.console.StaticFile;
import dev.tidestream.server.transport.http.JsonAnswer;

/**
 * The site: pages, other files, what the search looks through. Each is made when it is first asked for and then kept: all of them are a
 * few MB, and there are no more than the jar has files. Any thread; making takes milliseconds, so not an event loop.
 */
final class DocSite {
    /** Where the search finds what pages say. */
    static final String SEARCH = "search.json";

    private static final String PAGE = "page.html";

    private final DocFiles files;
    private final DocLinks links;
    private final DocRenderer renderer;
    private final Navigation navigation;
    private final DocTemplate template;
    private final Map<String, StaticFile> made = new ConcurrentHashMap<>(); // by paths of the site

    /** Reads the titles of all pages. */
    DocSite(DocFiles files) {
        this.files = files;
        links = new DocLinks(files);
        renderer = new DocRenderer(files, links);
        navigation = Navigation.of(files, renderer::title);
        template = new DocTemplate(navigation);
    }

    /** What is at a path, if it is made; does not wait. */
    @Nullable StaticFile ready(String path) {
        return made.get(path);
    }

    /** What is at a path; empty if nothing is. */
    Optional<StaticFile> at(String path) {
        StaticFile ready = made.get(path);
        if (ready != null) {
            return Optional.of(ready);
        }
        Optional<StaticFile> now = path.equals(SEARCH) && !files.all().isEmpty() ? Optional.of(search()) : links.file(path).map(this::make);
        now.ifPresent(file -> made.put(path, file));
        return now;
    }

    private StaticFile make(String path) {
        if (path.endsWith("/")) {
            return folder(path);
        }
        if (!DocLinks.isPage(path)) {
            return StaticFile.of(path, files.bytes(path));
        }
        DocPage page = renderer.page(path);
        return html(template.page(path, page.title(), page.sections(), page.html()));
    }

    private StaticFile folder(String folder) {
        String title = navigation.title(folder);
        String list = files.below(folder).stream()
                .map(file -> "<li><a href=\"%s\">%s</a></li>\n".formatted(
                        DocTemplate.escaped(DocLinks.between(DocLinks.sitePath(folder), DocLinks.sitePath(file))),
                        DocTemplate.escaped(DocLinks.isPage(file) ? renderer.title(file) : file.substring(folder.length()))))
                .collect(Collectors.joining());
        return html(template.page(folder, title, List.of(), "<h1>%s</h1>\n<ul>\n%s</ul>\n".formatted(DocTemplate.escaped(title), list)));
    }

    private static StaticFile html(String page) {
        return StaticFile.of(PAGE, page.getBytes(StandardCharsets.UTF_8));
    }

    private StaticFile search() {
        return StaticFile.of(SEARCH, JsonAnswer.bytes(json -> {
            json.writeArrayFieldStart("sections");
            for (Navigation.Group group : navigation.groups()) {
                for (Navigation.Entry entry : group.entries()) {
                    for (DocPage.Section section : renderer.page(entry.file()).sections()) {
                        json.writeStartObject();
                        json.writeStringField("page", DocLinks.sitePath(entry.file()));
                        json.writeStringField("title", entry.title());
                        json.writeStringField("heading", section.level() == 1 ? "" : section.heading());
                        json.writeStringField("anchor", section.level() == 1 ? "" : section.anchor());
                        json.writeStringField("text", section.text());
                        json.writeEndObject();
                    }
                }
            }
            json.writeEndArray();
        }));
    }
}
