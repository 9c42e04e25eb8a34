package dev.tidestream.server.transport;

import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

import dev.tidestream.protocol.FinishReason;
import dev.tidestream.protocol.SamplingOptions;
import dev.tidestream.protocol.Timing;
import dev.tidestream.protocol.Usage;
import dev.tidestream.protocol.WeightsPolicy;
import dev.tidestream.server.engine.Evidence;
import dev.tidestream.server.engine.TokenDigest;
import dev.tidestream.server.engine.TokenEvent;
import dev.tidestream.server.receipts.JwkSet;
import dev.tidestream.server.receipts.Receipt;
import dev.tidestream.server.receipts.ReceiptIssuer;
import dev.tidestream.server.receipts.ServedContent;
import dev.tidestream.server.receipts.SigningKey;

/** Receipts that a {@link TestServer} takes for its own. */
final class ReceiptFixture {
    private static final SigningKey KEY = SigningKey.generate();

    private static final SigningKey OTHERS = SigningKey.generate();

    static final JwkSet KEYS = new JwkSet(List.of(KEY.publicKey()));
    static final JwkSet TRUSTED = new JwkSet(List.of(KEY.publicKey(), OTHERS.publicKey()));

    static final ServedContent CONTENT = new ServedContent() {
        @Override
        public CompletableFuture<?> ready() {
            return CompletableFuture.completedFuture(null);
        }

        @Override
        public Receipt.Model model() {
            return new Receipt.Model("m", "file", "prompts");
        }

        @Override
        public Map<String, String> precision() {
            return Map.of();
        }

        @Override
        public String updatesSha256(long weightsVersion) {
            return "none";
        }
    };

    private ReceiptFixture() {}

    /** Of a stream that came to its limit. */
    static String of(int[] prompt, int... output) {
        return of(KEY, FinishReason.LENGTH, prompt, output.length, output);
    }

    /** The same of another server, whose key is trusted. */
    static String ofAnother(int[] prompt, int... output) {
        return of(OTHERS, FinishReason.LENGTH, prompt, output.length, output);
    }

    /** Of a stream that its client ended. */
    static String ofCancelled(int[] prompt, int maxTokens, int... output) {
        return of(KEY, FinishReason.CANCELLED, prompt, maxTokens, output);
    }

    private static String of(SigningKey key, FinishReason finish, int[] prompt, int maxTokens, int... output) {
        int tokens = output.length;
        SamplingOptions sampling = SamplingOptions.DEFAULT.withSeed(7);
        List<Evidence.Span> spans = tokens == 0 ? List.of() : List.of(new Evidence.Span(0, tokens, 1, "packed"));
        Evidence evidence = new Evidence(prompt.length, TokenDigest.of(prompt), null, false, null, maxTokens, sampling, List.of(),
                WeightsPolicy.PIN, 1,
                spans, tokens, TokenDigest.of(output));
        return new ReceiptIssuer(key, CONTENT, "s", InstantSource.system()).issue(
                new TokenEvent.Finish(finish, new Usage(1, tokens), new Timing(0, 0, 0, 0), evidence), "");
    }
}
