package dev.tidestream.server.cli.admin;

import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.MalformedInputException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.function.UnaryOperator;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

import dev.tidestream.console.Reasons;
import dev.tidestream.protocol.admin.AdminProtocol;
import dev.tidestream.server.cli.terminal.Check;
import dev.tidestream.server.cli.terminal.CliException;

/** Which server the {@code admin} commands talk to, and how. The token appears in no message. */
public final class AdminOptions {
    /** The environment variable with the admin token. */
    public static final String TOKEN_VARIABLE = "TIDESTREAM_ADMIN_TOKEN";

    private static final int MAX_TIMEOUT_S = 3600;

    private URI url = URI.create("ws://127.0.0.1:8080" + AdminProtocol.PATH);
    private Duration timeout = Duration.ZERO;

    @Option(names = "--token-file", paramLabel = "FILE",
            description = "A file with the admin token (default: the environment variable " + TOKEN_VARIABLE + ").")
    private @Nullable Path tokenFile;

    @Option(names = "--json", fallbackValue = "true", description = "Print what the server answered, as one line of JSON.")
    private boolean json;

    @Spec(Spec.Target.MIXEE)
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Option(names = "--url", paramLabel = "URL", defaultValue = "ws://127.0.0.1:8080",
            description = "The server: ws, wss, http or https, with or without " + AdminProtocol.PATH
                    + " (default: ${DEFAULT-VALUE}).")
    void setUrl(String value) {
        try {
            url = endpoint(value);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), "--url " + e.getMessage());
        }
    }

    @Option(names = "--timeout", paramLabel = "SECONDS", defaultValue = "10",
            description = "How long connecting may take (default: ${DEFAULT-VALUE}); a request may take any time.")
    void setTimeout(int value) {
        timeout = Duration.ofSeconds(Check.range(spec, "--timeout", value, 1, MAX_TIMEOUT_S));
    }

    /** The admin channel of the server. */
    public URI url() {
        return url;
    }

    /** Whether the answer is to be printed as it came. */
    public boolean json() {
        return json;
    }

    /** How long connecting may take. */
    public Duration timeout() {
        return timeout;
    }

    /**
     * The admin channel of a server.
     *
     * @throws IllegalArgumentException if this is no URL of a server; the message goes on after the option's name
     */
    public static URI endpoint(String value) {
        URI uri;
        try {
            uri = new URI(value);
        } catch (URISyntaxException e) {
            throw new IllegalArgumentException("is no URL: write ws://host:port", e);
        }
        String scheme = switch (String.valueOf(uri.getScheme()).toLowerCase(Locale.ROOT)) {
            case "ws", "http" -> "ws";
            case "wss", "https" -> "wss";
            default -> throw new IllegalArgumentException("must begin with ws://, wss://, http:// or https://");
        };
        if (uri.getHost() == null || uri.getUserInfo() != null || uri.getQuery() != null || uri.getFragment() != null) {
            throw new IllegalArgumentException("must be scheme://host:port and nothing else but a path");
        }
        String path = uri.getPath().replaceAll("/+$", "");
        try {
            return new URI(scheme, null, uri.getHost(), uri.getPort(),
                    path.endsWith(AdminProtocol.PATH) ? path : path + AdminProtocol.PATH, null, null);
        } catch (URISyntaxException e) {
            throw new IllegalArgumentException("is no URL: write ws://host:port", e);
        }
    }

    /** The token, from the file or from the environment. */
    public String token() {
        return token(System::getenv);
    }

    String token(UnaryOperator<@Nullable String> environment) {
        return token(spec, tokenFile, environment);
    }

    /** The token, from a file if there is one, else from the environment. */
    public static String token(CommandSpec spec, @Nullable Path file, UnaryOperator<@Nullable String> environment) {
        if (file != null) {
            return checked(read(file).strip(), file.toString());
        }
        String token = environment.apply(TOKEN_VARIABLE);
        if (token == null) {
            throw new ParameterException(spec.commandLine(),
                    "no admin token: give --token-file FILE, or set the environment variable " + TOKEN_VARIABLE);
        }
        return checked(token.strip(), TOKEN_VARIABLE);
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (MalformedInputException e) {
            throw new CliException(file + ": no token: not a text", e);
        } catch (IOException e) {
            throw new CliException(file + ": " + Reasons.of(e), e);
        }
    }

    /** What could not stand in a header must not reach the HTTP client: it repeats it in its complaint. */
    private static String checked(String token, String source) {
        if (token.isEmpty() || !token.chars().allMatch(c -> c > ' ' && c < 0x7F)) {
            throw new CliException("%s: no token: must be one word of visible ASCII characters: characters=%d"
                    .formatted(source, token.length()));
        }
        return token;
    }
}
