package dev.tidestream.loadtest.wire;

import java.io.IOException;
import java.net.URI;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a server of ours says of itself: the labels of {@code tidestream_server_info} at {@code GET /metrics}.
 *
 * @param facts by name; empty if it says nothing, as other servers do
 */
public record ServerInfo(Map<String, String> facts) {
    private static final String METRIC = "tidestream_server_info{";
    private static final Pattern LABEL = Pattern.compile("(\\w+)=\"((?:[^\"\\\\]|\\\\.)*)\"");

    public ServerInfo {
        facts = Map.copyOf(facts);
    }

    /**
     * Asks a server; blocks.
     *
     * @param anyUrl of the server, with the scheme ws, wss, http or https; its path is replaced
     */
    public static ServerInfo of(URI anyUrl) throws InterruptedException {
        try {
            return parse(HttpGet.page(anyUrl, "/metrics", ApiKey.NONE));
        } catch (IOException e) {
            return new ServerInfo(Map.of()); // a report without it is better than none
        }
    }

    /** @param page in the Prometheus text format */
    static ServerInfo parse(String page) {
        Map<String, String> facts = new LinkedHashMap<>();
        page.lines().filter(line -> line.startsWith(METRIC)).findFirst().ifPresent(line -> {
            Matcher label = LABEL.matcher(line);
            while (label.find()) {
                facts.put(String.valueOf(label.group(1)), String.valueOf(label.group(2)).replace("\\\"", "\"").replace("\\n", " ")
                        .replace("\\\\", "\\"));
            }
        });
        return new ServerInfo(facts);
    }

    public Optional<String> fact(String name) {
        return Optional.ofNullable(facts.get(name));
    }
}
