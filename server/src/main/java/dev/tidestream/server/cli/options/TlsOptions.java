package dev.tidestream.server.cli.options;

import java.nio.file.Path;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

import dev.tidestream.server.transport.tls.TlsFiles;

/** Options of {@code serve} for TLS. */
public final class TlsOptions {
    @Option(names = "--tls-cert", paramLabel = "FILE",
            description = "Certificate in PEM, with those that signed it; makes it https and wss, HTTP/2 and HTTP/1.1, "
                    + "TLS 1.2 and 1.3. Taken anew when it changes.")
    private @Nullable Path certificate;

    @Option(names = "--tls-key", paramLabel = "FILE",
            description = "Its private key in PEM, RSA or EC, not encrypted; taken anew together with it.")
    private @Nullable Path key;

    @Spec(Spec.Target.MIXEE)
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    /** Null for no TLS. */
    public @Nullable TlsFiles files() {
        if (certificate == null && key == null) {
            return null;
        }
        if (certificate == null || key == null) {
            throw new ParameterException(spec.commandLine(), "%s needs %s, too".formatted(
                    key == null ? "--tls-cert" : "--tls-key", key == null ? "--tls-key" : "--tls-cert"));
        }
        return new TlsFiles(certificate, key);
    }
}
