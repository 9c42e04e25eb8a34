package dev.tidestream.server.cli.options;

import java.nio.file.Path;
import java.time.Duration;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

import dev.tidestream.server.app.ServerConfig;
import dev.tidestream.server.cli.terminal.Check;

/** Options of receipts. */
public final class ReceiptOptions {
    private static final int MAX_VERIFICATIONS = 1024;
    private static final int MAX_TIMEOUT_S = 86_400;

    @Option(names = "--receipt-key", paramLabel = "FILE",
            description = "Private key that receipts are signed with: PEM, PKCS #8, Ed25519, as openssl genpkey -algorithm ed25519 "
                    + "makes it (default: one that is made below --data-dir, or else one that ends with the process).")
    @Nullable Path keyFile;

    @Option(names = "--receipt-trust", paramLabel = "FILE",
            description = "Further public keys whose receipts POST /v1/verify takes for genuine: a JWK set, as another server's "
                    + "/.well-known/jwks.json.")
    @Nullable Path trustFile;

    private int maxVerifications = 1;
    private int timeoutS = 600;

    @Spec(Spec.Target.MIXEE)
    @SuppressWarnings("NullAway.Init") // set by picocli
    CommandSpec spec;

    @Option(names = "--max-verifications", paramLabel = "N", defaultValue = "1",
            description = "Receipts whose streams are computed again at the same time, at most (default: ${DEFAULT-VALUE}).")
    void setMaxVerifications(int value) {
        maxVerifications = Check.range(spec, "--max-verifications", value, 1, MAX_VERIFICATIONS);
    }

    @Option(names = "--verification-timeout", paramLabel = "SECONDS", defaultValue = "600",
            description = "Longest that computing a stream again may take, waiting included (default: ${DEFAULT-VALUE}).")
    void setTimeout(int value) {
        timeoutS = Check.range(spec, "--verification-timeout", value, 1, MAX_TIMEOUT_S);
    }

    /** What they say. */
    public ServerConfig.Receipts config() {
        return new ServerConfig.Receipts(keyFile, trustFile, maxVerifications, Duration.ofSeconds(timeoutS));
    }
}
