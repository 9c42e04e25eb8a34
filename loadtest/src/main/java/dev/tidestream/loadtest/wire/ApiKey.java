package dev.tidestream.loadtest.wire;

import java.io.IOException;
import java.net.http.HttpRequest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.UnaryOperator;

import org.jspecify.annotations.Nullable;
import reactor.netty.http.client.HttpClient;

/** What a target is shown, if it wants a key. Goes into a header, nowhere else. */
public final class ApiKey {
    /** Where it is looked for without a file. */
    public static final String VARIABLE = "TIDESTREAM_API_KEY";
    /** None is shown. */
    public static final ApiKey NONE = new ApiKey(null);

    private static final String HEADER = "Authorization";

    private final @Nullable String text;

    private ApiKey(@Nullable String text) {
        this.text = text;
    }

    /**
     * From the file if there is one, or else from the environment, or none.
     *
     * @throws IOException if the file cannot be read
     * @throws IllegalArgumentException if what is there could not stand in a header; the message has nothing of it
     */
    public static ApiKey find(@Nullable Path file, UnaryOperator<@Nullable String> environment) throws IOException {
        String found = file == null ? environment.apply(VARIABLE) : Files.readString(file);
        if (found == null || (file == null && found.isBlank())) {
            return NONE;
        }
        String key = found.strip();
        if (key.isEmpty() || !key.chars().allMatch(c -> c > ' ' && c < 0x7F)) {
            throw new IllegalArgumentException("%s: no key: must be one word of visible ASCII characters: characters=%d"
                    .formatted(file == null ? VARIABLE : file, key.length()));
        }
        return new ApiKey(key);
    }

    HttpClient shownBy(HttpClient http) {
        return text == null ? http : http.headers(headers -> headers.set(HEADER, "Bearer " + text));
    }

    HttpRequest.Builder shownBy(HttpRequest.Builder request) {
        return text == null ? request : request.header(HEADER, "Bearer " + text);
    }

    @Override
    public String toString() {
        return "ApiKey";
    }
}
