package dev.tidestream.server.app;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.tidestream.console.Reasons;
import dev.tidestream.server.receipts.JwkSet;
import dev.tidestream.server.receipts.Receipt;
import dev.tidestream.server.receipts.ReceiptException;
import dev.tidestream.server.receipts.ReceiptIssuer;
import dev.tidestream.server.receipts.ReceiptKeyFile;
import dev.tidestream.server.receipts.ServedContent;
import dev.tidestream.server.receipts.SigningKey;

/** The key that receipts are signed with, those that they are verified with, and what they say of the model. */
final class ReceiptWiring {
    private static final Logger log = LoggerFactory.getLogger(ReceiptWiring.class);
    private static final String KEY_FILE = "receipt-key.pem"; // in the data directory
    private static final String SERVER = "tidestream ";
    private static final int MAX_TRUST_BYTES = 1 << 20;

    private final ServedContent content;
    private final ReceiptIssuer issuer;
    private final JwkSet own;
    private final JwkSet trusted;

    /**
     * Reads the key, or makes one.
     *
     * @param fingerprints of what is served
     * @throws ServerException if a key is of no use
     */
    ReceiptWiring(ServerConfig config, Served served, ModelFingerprints fingerprints) {
        content = content(config.compute(), served, fingerprints);
        SigningKey key = key(config.receipts().keyFile(), config.updates().dataDir());
        issuer = new ReceiptIssuer(key, content, SERVER + ProgramVersion.ours(), InstantSource.system());
        log.info("receipts are signed: kid={}", key.publicKey().kid());
        own = new JwkSet(List.of(key.publicKey()));
        Path trust = config.receipts().trustFile();
        trusted = trust == null ? own : own.and(trusted(trust));
    }

    /** @throws ServerException if one of the files that the configuration names is of no use */
    static void requireUsable(ServerConfig.Receipts receipts) {
        if (receipts.keyFile() != null) {
            key(receipts.keyFile(), null);
        }
        if (receipts.trustFile() != null) {
            trusted(receipts.trustFile());
        }
    }

    private static SigningKey key(@Nullable Path file, @Nullable Path dataDir) {
        try {
            if (file == null && dataDir == null) {
                log.info("the key of receipts ends with this process; --receipt-key or --data-dir give it one that lasts");
                return SigningKey.generate();
            }
            return file != null ? ReceiptKeyFile.read(file) : ReceiptKeyFile.readOrMake(Objects.requireNonNull(dataDir).resolve(KEY_FILE));
        } catch (ReceiptException e) {
            throw new ServerException(ServerException.Reason.RECEIPT_KEY, e.getMessage() + (file == null ? "" : " (--receipt-key)"), e);
        }
    }

    private static JwkSet trusted(Path file) {
        try {
            if (Files.size(file) > MAX_TRUST_BYTES) {
                throw new ReceiptException("too large: limit_bytes=" + MAX_TRUST_BYTES);
            }
            return JwkSet.parse(Files.readString(file));
        } catch (IOException e) {
            throw new ServerException(ServerException.Reason.RECEIPT_KEY, "%s: %s (--receipt-trust)".formatted(file, Reasons.of(e)), e);
        } catch (ReceiptException e) {
            throw new ServerException(ServerException.Reason.RECEIPT_KEY, "%s: %s (--receipt-trust)".formatted(file, e.getMessage()), e);
        }
    }

    private static ServedContent content(ServerConfig.Compute compute, Served served, ModelFingerprints fingerprints) {
        Map<String, String> precision = Map.of(
                "activations", compute.activations().wireName(),
                "head_activations", compute.headActivations().wireName(),
                "kv_type", compute.kvType().name().toLowerCase(Locale.ROOT),
                "weights", compute.formats().asTheyAre() ? "as stored" : compute.formats().words());
        return new ServedContent() {
            @Override
            public CompletableFuture<?> ready() {
                return fingerprints.ready();
            }

            @Override
            public Receipt.Model model() {
                List<String> hashes = fingerprints.contentSha256();
                return new Receipt.Model(served.blueprint().name(), hashes.getFirst(), hashes.getLast());
            }

            @Override
            public Map<String, String> precision() {
                return precision;
            }

            @Override
            public String updatesSha256(long weightsVersion) {
                return fingerprints.updatesSha256(weightsVersion);
            }
        };
    }

    ReceiptIssuer issuer() {
        return issuer;
    }

    /** What this server computes with. */
    ServedContent content() {
        return content;
    }

    /** Keys that this server signs with. */
    JwkSet own() {
        return own;
    }

    /** Keys that receipts are verified with: this server's, and those that it was told of. */
    JwkSet trusted() {
        return trusted;
    }
}
