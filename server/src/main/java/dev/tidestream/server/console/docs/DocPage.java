package dev.tidestream.server.console.docs;

import java.util.List;

/**
 * A file of the documentation as HTML, without what is around it.
 *
 * @param title of its first heading, as text
 * @param html of its body
 * @param sections by its headings, in their order
 * @param elsewhere links to what the site has not
 */
record DocPage(String title, String html, List<Section> sections, List<String> elsewhere) {
    DocPage {
        sections = List.copyOf(sections);
        elsewhere = List.copyOf(elsewhere);
    }

    /**
     * What stands between two headings.
     *
     * @param level of its heading, from 1 on
     * @param heading as text
     * @param anchor of its heading
     * @param text without markup, in one line
     */
    record Section(int level, String heading, String anchor, String text) {}
}
