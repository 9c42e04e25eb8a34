package dev.tidestream.server.console.docs;

import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;

import org.commonmark.Extension;
import org.commonmark.ext.gfm.tables.TablesExtension;
import org.commonmark.ext.heading.anchor.IdGenerator;
import org.commonmark.node.AbstractVisitor;
import org.commonmark.node.FencedCodeBlock;
import org.commonmark.node.Heading;
import org.commonmark.node.Image;
import org.commonmark.node.Link;
import org.commonmark.node.Node;
import org.commonmark.parser.Parser;
import org.commonmark.renderer.html.HtmlRenderer;

/**
 * Makes pages of Markdown as GitHub reads it: tables, anchors of headings. HTML in the Markdown is shown as text. Any thread.
 */
final class DocRenderer {
    private static final List<Extension> EXTENSIONS = List.of(TablesExtension.create());
    private static final Parser PARSER = Parser.builder().extensions(EXTENSIONS).build();

    /** A wide table scrolls for itself; only tables of the Markdown are elements, other HTML is escaped. */
    private static final String TABLE = "<div class=\"scroll\" role=\"region\" aria-label=\"Table\" tabindex=\"0\"><table>";

    private final DocFiles files;
    private final DocLinks links;

    DocRenderer(DocFiles files, DocLinks links) {
        this.files = files;
        this.links = links;
    }

    /** The page of a file. */
    DocPage page(String file) {
        Node document = PARSER.parse(files.text(file));
        IdentityHashMap<Node, String> anchors = new IdentityHashMap<>();
        List<DocPage.Section> sections = sections(document, anchors);
        LinkChange change = new LinkChange(file);
        document.accept(change);
        HtmlRenderer html = HtmlRenderer.builder().extensions(EXTENSIONS).escapeHtml(true)
                .attributeProviderFactory(context -> (node, tag, attributes) -> {
                    String anchor = anchors.get(node);
                    if (anchor != null) {
                        attributes.put("id", anchor);
                    } else if (node instanceof FencedCodeBlock && tag.equals("pre")) {
                        attributes.put("tabindex", "0"); // it scrolls, also for keyboards
                    }
                }).build();
        String body = html.render(document).replace("<table>", TABLE).replace("</table>", "</table></div>");
        return new DocPage(sections.isEmpty() ? file : sections.getFirst().heading(), body, sections, change.elsewhere);
    }

    /** The first heading of a file, as text, without a look at the rest. */
    String title(String file) {
        return files.text(file).lines().filter(line -> line.startsWith("# ")).findFirst()
                .map(line -> PlainText.of(PARSER.parse(line))).orElse(file);
    }

    private static List<DocPage.Section> sections(Node document, IdentityHashMap<Node, String> anchors) {
        IdGenerator ids = IdGenerator.builder().build();
        List<DocPage.Section> sections = new ArrayList<>();
        StringBuilder text = new StringBuilder();
        Heading heading = null;
        for (Node block = document.getFirstChild(); block != null; block = block.getNext()) {
            if (block instanceof Heading next) {
                if (heading != null) {
                    sections.add(section(heading, anchors, text));
                }
                text.setLength(0);
                heading = next;
                anchors.put(next, ids.generateId(PlainText.of(next)));
            } else {
                text.append(PlainText.of(block)).append(' ');
            }
        }
        if (heading != null) {
            sections.add(section(heading, anchors, text));
        }
        return sections;
    }

    private static DocPage.Section section(Heading heading, IdentityHashMap<Node, String> anchors, StringBuilder text) {
        return new DocPage.Section(heading.getLevel(), PlainText.of(heading), anchors.getOrDefault(heading, ""),
                text.toString().strip());
    }

    /** Makes links of the repository links of the site; what the site has not, such as a source file, is text. */
    private final class LinkChange extends AbstractVisitor {
        private final String file;
        private final List<String> elsewhere = new ArrayList<>();

        LinkChange(String file) {
            this.file = file;
        }

        @Override
        public void visit(Link link) {
            visitChildren(link);
            links.onSite(file, link.getDestination()).ifPresentOrElse(link::setDestination, () -> {
                elsewhere.add(link.getDestination());
                for (Node child = link.getFirstChild(); child != null; child = link.getFirstChild()) {
                    link.insertBefore(child);
                }
                link.unlink();
            });
        }

        @Override
        public void visit(Image image) {
            visitChildren(image);
            links.onSite(file, image.getDestination()).ifPresentOrElse(image::setDestination, () -> elsewhere.add(image.getDestination()));
        }
    }
}
