package dev.tidestream.loadtest.wire;

import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.time.Duration;

import dev.tidestream.console.Reasons;

/** A page of a server, asked for by plain HTTP; blocks. */
final class HttpGet {
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final int OK = 200;

    private HttpGet() {}

    /**
     * Asks for a page.
     *
     * @param anyUrl of the server, with the scheme ws, wss, http or https; its path is replaced
     * @param key that it wants
     * @throws IOException if there is no such page; the message names the address
     */
    static String page(URI anyUrl, String path, ApiKey key) throws IOException, InterruptedException {
        String scheme = String.valueOf(anyUrl.getScheme());
        boolean secure = scheme.equals("wss") || scheme.equals("https");
        URI url = URI.create((secure ? "https" : "http") + "://" + anyUrl.getRawAuthority() + path);
        try (HttpClient http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(PATIENCE).build()) {
            HttpResponse<String> response = http.send(
                    key.shownBy(HttpRequest.newBuilder(url)).timeout(PATIENCE).build(), HttpResponse.BodyHandlers.ofString());
            if (response.statusCode() != OK) {
                throw new IOException("%s answers with HTTP status %d".formatted(url, response.statusCode()));
            }
            return response.body();
        } catch (ConnectException | HttpTimeoutException e) {
            throw new IOException("cannot connect to %s: %s".formatted(url, Reasons.of(e)), e);
        }
    }
}
