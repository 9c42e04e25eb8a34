package dev.tidestream.server.console.docs;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Where a file of the repository is on the site, and where the links in it lead. {@code docs/protocol.md} is {@code protocol}, {@code
 * README.md} is the empty path, what is no Markdown keeps its name, and a folder ends with a slash. Links of pages are relative, so the
 * site may be below any address. Any thread.
 */
final class DocLinks {
    private static final Pattern ELSEWHERE = Pattern.compile("[A-Za-z][A-Za-z0-9+.-]*:.*");
    private static final String DOCS = "docs/";
    private static final String MARKDOWN = ".md";

    private final Map<String, String> files = new HashMap<>(); // and folders, by their paths on the site

    DocLinks(DocFiles all) {
        for (String file : all.all()) {
            files.put(sitePath(file), file);
            for (int slash = file.indexOf('/'); slash >= 0; slash = file.indexOf('/', slash + 1)) {
                String folder = file.substring(0, slash + 1);
                if (!folder.equals(DOCS)) { // its place has the README
                    files.put(sitePath(folder), folder);
                }
            }
        }
    }

    static String sitePath(String path) {
        if (path.equals(DocFiles.README)) {
            return "";
        }
        String below = path.startsWith(DOCS) ? path.substring(DOCS.length()) : path;
        return isPage(below) ? below.substring(0, below.length() - MARKDOWN.length()) : below;
    }

    static boolean isPage(String path) {
        return path.endsWith(MARKDOWN);
    }

    /** From a page of the site to its root: {@code ../} as often as need be. */
    static String root(String sitePath) {
        return "../".repeat((int) sitePath.chars().filter(c -> c == '/').count());
    }

    /** From one page of the site to another. */
    static String between(String from, String to) {
        String link = root(from) + to;
        return link.isEmpty() ? "./" : link;
    }

    /** The file, or the folder with its slash, that is at a path of the site; empty if none is. */
    Optional<String> file(String sitePath) {
        return Optional.ofNullable(files.get(sitePath));
    }

    /**
     * A link as the site has it, without a change if it leads to another host or within its page; empty if it leads nowhere.
     *
     * @param from the file it stands in
     */
    Optional<String> onSite(String from, String link) {
        if (link.startsWith("#") || ELSEWHERE.matcher(link).matches()) {
            return Optional.of(link);
        }
        int hash = link.indexOf('#');
        String anchor = hash < 0 ? "" : link.substring(hash);
        return target(from, hash < 0 ? link : link.substring(0, hash)).map(to -> between(sitePath(from), to) + anchor);
    }

    /** The path on the site. */
    private Optional<String> target(String from, String link) {
        Deque<String> parts = new ArrayDeque<>(Arrays.asList(from.split("/", -1)));
        parts.removeLast();
        for (String part : link.split("/", -1)) {
            if (part.equals("..")) {
                if (parts.pollLast() == null) {
                    return Optional.empty();
                }
            } else if (!part.isEmpty() && !part.equals(".")) {
                parts.addLast(part);
            }
        }
        String path = String.join("/", parts);
        return Stream.of(sitePath(path), sitePath(path + "/")).filter(files::containsKey).findFirst();
    }
}
