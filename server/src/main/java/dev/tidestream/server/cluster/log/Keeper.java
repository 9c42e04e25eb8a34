package dev.tidestream.server.cluster.log;

import java.net.URI;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A voting member of the log.
 *
 * @param id name of the node, unique in the cluster: 1 to 64 of {@code A-Za-z0-9._-}
 * @param host where the others find it
 * @param logPort of the log's own traffic, between keepers
 * @param httpPort of what nodes ask each other over HTTP: blobs, and the log for those that keep none
 */
public record Keeper(String id, String host, int logPort, int httpPort) {
    private static final Pattern FORM = Pattern.compile(
            "([A-Za-z0-9._-]{1,64})=(\\[[0-9a-fA-F:.]+]|[^:\\[\\]=,/]+):(\\d{1,5})(?:/(\\d{1,5}))?");
    private static final int MAX_PORT = 65_535;

    public Keeper {
        if (logPort < 1 || logPort > MAX_PORT || httpPort < 1 || httpPort > MAX_PORT || logPort == httpPort) {
            throw new IllegalArgumentException("a keeper needs two ports of 1 to %d: id=%s, port=%d, http_port=%d"
                    .formatted(MAX_PORT, id, logPort, httpPort));
        }
    }

    /**
     * Reads {@code id=host:port} or {@code id=host:port/httpPort}; without the latter, HTTP is on the port after the first.
     *
     * @throws IllegalArgumentException if it is neither
     */
    public static Keeper parse(String text) {
        Matcher parts = FORM.matcher(text);
        if (!parts.matches()) {
            throw new IllegalArgumentException("not of the form id=host:port or id=host:port/http_port: " + text);
        }
        int port = Integer.parseInt(parts.group(3));
        return new Keeper(parts.group(1), parts.group(2), port, parts.group(4) == null ? port + 1 : Integer.parseInt(parts.group(4)));
    }

    /**
     * Reads a list with commas between.
     *
     * @throws IllegalArgumentException if one cannot be read, or two have the same id
     */
    public static List<Keeper> parseAll(String text) {
        List<Keeper> all = new ArrayList<>();
        Set<String> ids = new HashSet<>();
        for (String one : text.split(",", -1)) {
            Keeper keeper = parse(one.strip());
            if (!ids.add(keeper.id())) {
                throw new IllegalArgumentException("two keepers of the same id: " + keeper.id());
            }
            all.add(keeper);
        }
        return List.copyOf(all);
    }

    /** Where the log's traffic goes: {@code host:port}. */
    public String logAddress() {
        return host + ":" + logPort;
    }

    /** Where it is asked over HTTP: {@code host:port}. */
    public String httpAddress() {
        return host + ":" + httpPort;
    }

    /** The same as an address of the web. */
    public URI http() {
        return URI.create("http://" + httpAddress());
    }

    /** As {@link #parse} reads it. */
    @Override
    public String toString() {
        return "%s=%s:%d/%d".formatted(id, host, logPort, httpPort);
    }
}
