package dev.tidestream.server.console.docs;

import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** What is around the text of a page: header, list of pages, search. With the console's look. Any thread. */
final class DocTemplate {
    private static final String PAGE = """
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <title>{title} – Tidestream</title>
            <link rel="icon" href="{root}../console/icon.svg" type="image/svg+xml">
            <link rel="stylesheet" href="{root}../console/style.css">
            <link rel="stylesheet" href="{root}../console/docs.css">
            <script type="module" src="{root}../console/docs.js"></script>
            </head>
            <body data-root="{root}">
            <a class="skip" href="#main">Skip to the page</a>
            <header>
              <p class="brand"><img src="{root}../console/icon.svg" alt="" width="26" height="26"> Tidestream</p>
              <nav aria-label="Console">
                {console}
                <a href="{home}" aria-current="true">Docs</a>
              </nav>
              <div class="tools">
                <a class="to-pages" href="#pages">All pages</a>
                <label class="theme"><span class="hidden">Colours</span>
                  <select id="theme"><option value="auto">System</option><option value="light">Light</option>
                  <option value="dark">Dark</option></select>
                </label>
              </div>
            </header>
            <div class="manual">
            <div class="pages" id="pages">
            <label class="field"><span>Search</span><input type="search" id="search" autocomplete="off" spellcheck="false"></label>
            <div id="found"></div>
            <nav aria-label="Pages of the documentation">
            {pages}</nav>
            </div>
            <main id="main" tabindex="-1">
            <article class="doc">
            {body}</article>
            </main>
            </div>
            <div id="said" class="hidden" role="status" aria-live="polite"></div>
            </body>
            </html>
            """;

    private static final List<String> CONSOLE = List.of("Playground", "Compare", "Streams", "Weights", "Head", "Load", "Cluster");

    private final Navigation navigation;

    DocTemplate(Navigation navigation) {
        this.navigation = navigation;
    }

    /**
     * A whole page.
     *
     * @param path of the file, or of the folder with its slash
     * @param title as text
     * @param sections listed below the page's own entry
     * @param body as HTML
     */
    String page(String path, String title, List<DocPage.Section> sections, String body) {
        String at = DocLinks.sitePath(path);
        String root = DocLinks.root(at);
        String console = CONSOLE.stream()
                .map(name -> "<a href=\"%s../#/%s\">%s</a>".formatted(root, name.toLowerCase(Locale.ROOT), name))
                .collect(Collectors.joining("\n    "));
        return PAGE.replace("{title}", escaped(title)).replace("{home}", DocLinks.between(at, "")).replace("{root}", root)
                .replace("{console}", console).replace("{pages}", pages(path, sections)).replace("{body}", body);
    }

    private String pages(String path, List<DocPage.Section> sections) {
        StringBuilder html = new StringBuilder();
        for (Navigation.Group group : navigation.groups()) {
            boolean here = group.folder().equals(path) || group.entries().stream().anyMatch(entry -> entry.file().equals(path));
            String list = group.entries().stream().map(entry -> entry(entry, path, sections)).collect(Collectors.joining());
            if (group.folded()) {
                html.append("<details%s><summary>%s</summary><ul>\n%s</ul></details>\n"
                        .formatted(here ? " open" : "", group.title(), list));
            } else {
                html.append("<h2>%s</h2><ul>\n%s</ul>\n".formatted(group.title(), list));
            }
        }
        return html.toString();
    }

    private static String entry(Navigation.Entry entry, String path, List<DocPage.Section> sections) {
        boolean here = entry.file().equals(path);
        String below = here ? sections.stream().filter(section -> section.level() == 2)
                .map(section -> "<li><a href=\"#%s\">%s</a></li>\n".formatted(escaped(section.anchor()), escaped(section.heading())))
                .collect(Collectors.joining()) : "";
        return "<li><a href=\"%s\"%s>%s</a>%s</li>\n".formatted(
                escaped(DocLinks.between(DocLinks.sitePath(path), DocLinks.sitePath(entry.file()))), here ? " aria-current=\"page\"" : "",
                escaped(entry.title()), below.isEmpty() ? "" : "<ul>\n" + below + "</ul>");
    }

    /** Text as HTML, also within an attribute. */
    static String escaped(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\"", "&quot;");
    }
}
