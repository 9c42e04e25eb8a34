package dev.tidestream.server.console.docs;

import java.util.List;

/**
 * A file of the documentation as HTML, without what is around it.
 *
 * @param title of its first heading, as text
 * @param html of its body
 * @param sections by its headings, in their order
 * @param broken links that lead nowhere
 */
record DocPage(String title, String html, List<Section> sections, List<String> broken) {
    DocPage {
        sections = List.copyOf(sections);
        broken = List.copyOf(broken);
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
