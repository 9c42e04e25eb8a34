package dev.tidestream.loadtest.wire.openai;

import java.net.URI;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

import org.jspecify.annotations.Nullable;

/** One of OpenAI's wires. */
public enum Api {
    CHAT("/chat/completions"),
    COMPLETIONS("/completions"),
    RESPONSES("/responses"),
    RESPONSES_WS("/responses");

    private static final String VERSION = "/v1";

    private final String path;

    Api(String path) {
        this.path = path;
    }

    /**
     * Where it is.
     *
     * @param url of the endpoint itself, with the scheme that the wire has
     */
    public record Endpoint(Api api, URI url) {}

    /** As it is written in options and reports. */
    public String wireName() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    @Override
    public String toString() {
        return wireName();
    }

    /** @throws IllegalArgumentException if there is none of that name */
    public static Api parse(String text) {
        return Arrays.stream(values()).filter(api -> api.wireName().equals(text.toLowerCase(Locale.ROOT))).findFirst()
                .orElseThrow(() -> new IllegalArgumentException("must be one of " + Arrays.stream(values()).map(Api::wireName)
                        .collect(Collectors.joining(", ")) + ": '" + text + "'"));
    }

    /** Whether the wire takes prompts as token ids; otherwise only as text. */
    public boolean takesTokens() {
        return this == COMPLETIONS;
    }

    /** Whether each request has a connection of its own. */
    boolean isHttp() {
        return this != RESPONSES_WS;
    }

    /**
     * The endpoint that is meant by an address: one that ends in an endpoint's path is that endpoint; to a base, such as
     * {@code http://HOST:PORT/v1} or {@code http://HOST:PORT}, the path is added.
     *
     * @param wanted null: what the path says, else completions
     * @throws IllegalArgumentException if the path is that of another wire, or the scheme of none
     */
    public static Endpoint endpoint(URI url, @Nullable Api wanted) {
        String scheme = String.valueOf(url.getScheme()).toLowerCase(Locale.ROOT);
        boolean socket = scheme.equals("ws") || scheme.equals("wss");
        if (!socket && !scheme.equals("http") && !scheme.equals("https")) {
            throw new IllegalArgumentException("must begin with http, https, ws or wss: " + url);
        }
        String path = String.valueOf(url.getRawPath()).replaceFirst("/+$", "");
        Optional<Api> named = ofPath(path);
        Api api = wanted != null ? wanted : named.map(found -> found == RESPONSES && socket ? RESPONSES_WS
                : found).orElse(COMPLETIONS);
        if (named.isPresent() && !named.get().path.equals(api.path)) {
            throw new IllegalArgumentException("is the endpoint of %s, and %s is wanted: %s".formatted(named.get(), api, url));
        }
        if (socket && api.isHttp()) {
            throw new IllegalArgumentException("is a WebSocket's address, and %s is spoken over HTTP: %s".formatted(api, url));
        }
        boolean secure = scheme.equals("https") || scheme.equals("wss");
        String spoken = api.isHttp() ? secure ? "https" : "http" : secure ? "wss" : "ws";
        String whole = named.isPresent() ? path : (path.isEmpty() ? VERSION : path) + api.path;
        return new Endpoint(api, URI.create(spoken + "://" + url.getRawAuthority() + whole
                + (url.getRawQuery() == null ? "" : "?" + url.getRawQuery())));
    }

    /** Whether an address ends in an endpoint's path. */
    public static boolean isNamed(URI url) {
        return ofPath(String.valueOf(url.getRawPath()).replaceFirst("/+$", "")).isPresent();
    }

    private static Optional<Api> ofPath(String path) {
        // chat's ends as that of completions does, too
        return Arrays.stream(values()).filter(api -> path.endsWith(api.path)).findFirst();
    }
}
