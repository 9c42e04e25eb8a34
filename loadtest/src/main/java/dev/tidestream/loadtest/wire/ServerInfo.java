package dev.tidestream.loadtest.wire;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
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
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final int OK = 200;
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
        URI url = URI.create((anyUrl.getScheme().endsWith("s") ? "https" : "http") + "://" + anyUrl.getRawAuthority() + "/metrics");
        try (HttpClient http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(PATIENCE).build()) {
            HttpResponse<String> response = http.send(
                    HttpRequest.newBuilder(url).timeout(PATIENCE).build(), HttpResponse.BodyHandlers.ofString());
            return response.statusCode() == OK ? parse(response.body()) : new ServerInfo(Map.of());
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
