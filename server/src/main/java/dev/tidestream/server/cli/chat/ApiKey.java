package dev.tidestream.server.cli.chat;

import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;

import org.jspecify.annotations.Nullable;

import dev.tidestream.console.Reasons;
import dev.tidestream.server.cli.terminal.CliException;

/** The key for a server: from a file or from the environment. It appears in no message. */
public final class ApiKey {
    /** Looked at first. */
    public static final String VARIABLE = "TIDESTREAM_API_KEY";
    /** What other clients of such servers read. */
    public static final String COMMON_VARIABLE = "OPENAI_API_KEY";

    private ApiKey() {}

    /**
     * The key, if there is one.
     *
     * @throws CliException if the file cannot be read, or what it has could not stand in a header
     */
    public static Optional<String> find(@Nullable Path file, UnaryOperator<@Nullable String> environment) {
        if (file != null) {
            return Optional.of(checked(read(file).strip(), file.toString()));
        }
        for (String variable : List.of(VARIABLE, COMMON_VARIABLE)) {
            String key = environment.apply(variable);
            if (key != null && !key.isBlank()) {
                return Optional.of(checked(key.strip(), variable));
            }
        }
        return Optional.empty();
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (MalformedInputException e) {
            throw new CliException(file + ": no key: not a text", e);
        } catch (IOException e) {
            throw new CliException(file + ": " + Reasons.of(e), e);
        }
    }

    private static String checked(String key, String source) {
        if (key.isEmpty() || !key.chars().allMatch(c -> c > ' ' && c < 0x7F)) {
            throw new CliException("%s: no key: must be one word of visible ASCII characters: characters=%d"
                    .formatted(source, key.length()));
        }
        return key;
    }
}
