package dev.tidestream.server.receipts;

import java.time.InstantSource;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;

import dev.tidestream.server.engine.Evidence;
import dev.tidestream.server.engine.TokenEvent;

/** Signs receipts. A signature takes about half a millisecond: not for the decode thread. Any other. */
public final class ReceiptIssuer {
    private final SigningKey key;
    private final ServedContent content;
    private final String server;
    private final InstantSource clock;

    /** @param server the program and its version */
    public ReceiptIssuer(SigningKey key, ServedContent content, String server, InstantSource clock) {
        this.key = key;
        this.content = content;
        this.server = server;
        this.clock = clock;
    }

    /** Completes when receipts can be issued without waiting: the model file is read for its hash, once. */
    public CompletableFuture<?> ready() {
        return content.ready();
    }

    /** What its receipts are verified with. */
    public PublicReceiptKey publicKey() {
        return key.publicKey();
    }

    /**
     * The receipt of a stream that has ended; after {@link #ready}.
     *
     * @param finish with evidence
     * @param keyName of the API key that it was asked for with; empty if none was needed
     * @return a compact JWS
     * @throws IllegalStateException if it would have to wait
     */
    public String issue(TokenEvent.Finish finish, String keyName) {
        if (!ready().isDone()) {
            throw new IllegalStateException("a receipt cannot be issued yet: the model file is being read for its hash");
        }
        Evidence evidence = Objects.requireNonNull(finish.evidence(), "a stream without evidence has no receipt");
        List<String> updates = evidence.spans().stream().map(span -> content.updatesSha256(span.weightsVersion())).toList();
        return SignedReceipt.sign(new Receipt(clock.instant().getEpochSecond(), server, keyName.isEmpty() ? null : keyName, content.model(),
                content.precision(), evidence, updates, finish.reason()), key);
    }
}
