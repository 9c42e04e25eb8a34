package dev.tidestream.server.cli.options;

import java.net.URI;
import java.util.Set;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

import dev.tidestream.console.Printable;

/** Options of {@code serve} for traces. */
public final class TracingOptions {
    private static final Set<String> SCHEMES = Set.of("http", "https");
    private static final int SHOWN_CHARS = 256;

    private @Nullable URI endpoint;

    @Spec(Spec.Target.MIXEE)
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Option(names = "--otlp-endpoint", paramLabel = "URL",
            description = "Send a span for every stream to this collector: OTLP over HTTP, e.g. http://localhost:4318 (default: nowhere).")
    void setEndpoint(URI value) {
        if (!SCHEMES.contains(String.valueOf(value.getScheme())) || value.getHost() == null || value.getUserInfo() != null) {
            throw new ParameterException(spec.commandLine(), "--otlp-endpoint must be like http://localhost:4318: %s"
                    .formatted(Printable.quoted(value.toString(), SHOWN_CHARS)));
        }
        endpoint = value;
    }

    /** Null for none. */
    public @Nullable URI endpoint() {
        return endpoint;
    }
}
