package dev.tidestream.server.console.docs;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.JarURLConnection;
import java.net.URI;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.jar.JarFile;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;

/** The files of the documentation that the server's jar has, by their paths in the repository: {@code docs/protocol.md}. Any thread. */
final class DocFiles {
    /** What the site begins with. */
    static final String README = "README.md";

    private static final String ROOT = "site/"; // in the jar

    private final SortedSet<String> paths;

    private DocFiles(SortedSet<String> paths) {
        this.paths = Collections.unmodifiableSortedSet(paths);
    }

    /**
     * All that there are; none in a build that packs none.
     *
     * @throws UncheckedIOException if the jar cannot be read
     */
    static DocFiles packed() {
        URL readme = DocFiles.class.getResource("/" + ROOT + README);
        try {
            return new DocFiles(readme == null ? new TreeSet<>() : beside(readme));
        } catch (IOException e) {
            throw new UncheckedIOException("the documentation cannot be read: " + readme, e);
        }
    }

    private static SortedSet<String> beside(URL readme) throws IOException {
        SortedSet<String> paths = new TreeSet<>();
        if (readme.openConnection() instanceof JarURLConnection connection) {
            connection.setUseCaches(false); // so that it may be closed
            try (JarFile jar = connection.getJarFile(); Stream<String> names = jar.stream().map(ZipEntry::getName)) {
                names.filter(name -> name.startsWith(ROOT) && !name.endsWith("/"))
                        .forEach(name -> paths.add(name.substring(ROOT.length())));
            }
            return paths;
        }
        Path root = Path.of(URI.create(readme.toString())).resolveSibling(""); // classes in a folder, of a build
        try (Stream<Path> files = Files.walk(root)) {
            files.filter(Files::isRegularFile).forEach(file -> paths.add(root.relativize(file).toString().replace('\\', '/')));
        }
        return paths;
    }

    /** In the order of their paths. */
    List<String> all() {
        return List.copyOf(paths);
    }

    boolean has(String path) {
        return paths.contains(path);
    }

    /** Those below a folder, which ends with a slash. */
    List<String> below(String folder) {
        return paths.stream().filter(path -> path.startsWith(folder)).toList();
    }

    /** @throws IllegalArgumentException if there is no such file */
    byte[] bytes(String path) {
        if (!has(path)) {
            throw new IllegalArgumentException("no file of the documentation: " + path);
        }
        try (InputStream in = DocFiles.class.getResourceAsStream("/" + ROOT + path)) {
            if (in == null) {
                throw new IllegalStateException("a file of the documentation is gone: " + path);
            }
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException("a file of the documentation cannot be read: " + path, e);
        }
    }

    String text(String path) {
        return new String(bytes(path), StandardCharsets.UTF_8);
    }
}
