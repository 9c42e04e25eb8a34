package dev.tidestream.loadtest;

import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.UnaryOperator;

import org.jspecify.annotations.Nullable;

import dev.tidestream.console.Reasons;

/** The key for the server that is measured: from a file or from the environment. It appears in no message and in no report. */
final class ApiKey {
    static final String VARIABLE = "TIDESTREAM_API_KEY";
    static final String OPENAI_VARIABLE = "OPENAI_API_KEY";

    private ApiKey() {}

    /**
     * The key; null if there is none.
     *
     * @throws LoadFailedException if the file cannot be read, or what it has could not stand in a header
     */
    static @Nullable String find(@Nullable Path file, UnaryOperator<@Nullable String> environment) throws LoadFailedException {
        if (file != null) {
            return checked(read(file).strip(), file.toString());
        }
        for (String variable : List.of(VARIABLE, OPENAI_VARIABLE)) {
            String key = environment.apply(variable);
            if (key != null && !key.isBlank()) {
                return checked(key.strip(), variable);
            }
        }
        return null;
    }

    private static String read(Path file) throws LoadFailedException {
        try {
            return Files.readString(file);
        } catch (MalformedInputException e) {
            throw new LoadFailedException("no key in " + file + ": not a text", e);
        } catch (IOException e) {
            throw new LoadFailedException("the key cannot be read: " + file + ": " + Reasons.of(e), e);
        }
    }

    private static String checked(String key, String source) throws LoadFailedException {
        if (key.isEmpty() || !key.chars().allMatch(c -> c > ' ' && c < 0x7F)) {
            throw new LoadFailedException("no key in %s: must be one word of visible ASCII characters: characters=%d"
                    .formatted(source, key.length()));
        }
        return key;
    }
}
