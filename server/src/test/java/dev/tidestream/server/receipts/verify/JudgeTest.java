package dev.tidestream.server.receipts.verify;

import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

import dev.tidestream.protocol.FinishReason;
import dev.tidestream.protocol.SamplingOptions;
import dev.tidestream.protocol.Timing;
import dev.tidestream.protocol.Usage;
import dev.tidestream.protocol.WeightsPolicy;
import dev.tidestream.server.engine.Evidence;
import dev.tidestream.server.engine.TokenDigest;
import dev.tidestream.server.engine.TokenEvent;
import dev.tidestream.server.openai.wire.BadRequestException;
import dev.tidestream.server.receipts.JwkSet;
import dev.tidestream.server.receipts.Receipt;
import dev.tidestream.server.receipts.ReceiptIssuer;
import dev.tidestream.server.receipts.ServedContent;
import dev.tidestream.server.receipts.SigningKey;
import dev.tidestream.server.receipts.verify.Verdict.Code;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;

/** What is told of a receipt before anything is computed. */
class JudgeTest {
    private static final int[] PROMPT = {5, 6, 7};
    private static final int[] OUTPUT = {8, 9};
    private static final SigningKey KEY = SigningKey.generate();

    private final Content content = new Content();
    private final Judge judge = new Judge(new JwkSet(List.of(KEY.publicKey())), content);

    /** What a server has, to be exchanged. */
    private static final class Content implements ServedContent {
        Receipt.Model model = new Receipt.Model("m", "file", "prompts");
        Map<String, String> precision = Map.of("kv_type", "f16");
        final Map<Long, String> updates = new HashMap<>(Map.of(1L, "u1", 2L, "u2"));

        @Override
        public CompletableFuture<?> ready() {
            return CompletableFuture.completedFuture(null);
        }

        @Override
        public Receipt.Model model() {
            return model;
        }

        @Override
        public Map<String, String> precision() {
            return precision;
        }

        @Override
        public String updatesSha256(long weightsVersion) {
            String known = updates.get(weightsVersion);
            if (known == null) {
                throw new IllegalStateException("no such version");
            }
            return known;
        }
    }

    private String receipt(WeightsPolicy weights, SigningKey key) {
        List<Evidence.Span> spans =
                List.of(new Evidence.Span(0, 1, 1, "packed"), new Evidence.Span(1, 2, weights.follows() ? 2 : 1, "packed"));
        return receipt(weights, key, spans, FinishReason.LENGTH, OUTPUT);
    }

    private String receipt(WeightsPolicy weights, SigningKey key, List<Evidence.Span> spans, FinishReason finish, int[] output) {
        Evidence evidence = new Evidence(PROMPT.length, TokenDigest.of(PROMPT), null, false, null, 2,
                new SamplingOptions(1, 0, 1, 0, 1, 0, 0, Map.of(), OptionalLong.of(7)), List.of(), weights, 1, spans, output.length,
                TokenDigest.of(output));
        return new ReceiptIssuer(key, content, "s", InstantSource.system()).issue(
                new TokenEvent.Finish(finish, new Usage(3, 2), new Timing(0, 0, 0, 0), evidence), "alice");
    }

    private Judge.Judged judge(String receipt, int @Nullable [] prompt) throws BadRequestException {
        return judge.judge(new VerifyRequest(receipt, prompt == null ? null : (special, at) -> prompt, null, null));
    }

    private void assertCode(Code code, String receipt, int @Nullable [] prompt) throws BadRequestException {
        Verdict verdict = judge(receipt, prompt).verdict();
        assertNotNull(verdict);
        assertEquals(code, verdict.code(), verdict.message());
    }

    @Test
    void shouldHaveWhatIsLeftComputed() throws BadRequestException {
        for (WeightsPolicy weights : List.of(WeightsPolicy.PIN, WeightsPolicy.FOLLOW_AND_RECOMPUTE)) {
            Judge.Judged judged = judge(receipt(weights, KEY), PROMPT);
            assertNull(judged.verdict());
            Judge.Recompute recompute = judged.recompute();
            assertNotNull(recompute);
            assertArrayEquals(PROMPT, recompute.prompt());
            assertEquals("alice", recompute.receipt().keyName());
        }
    }

    @Test
    void shouldSayWhatIsNotTheSame() throws BadRequestException {
        String receipt = receipt(WeightsPolicy.PIN, KEY);
        String follows = receipt(WeightsPolicy.FOLLOW_AND_RECOMPUTE, KEY);
        assertCode(Code.NO_PROMPT, receipt, null);
        assertCode(Code.PROMPT_DIFFERS, receipt, new int[] {5, 6});
        assertCode(Code.PROMPT_DIFFERS, receipt, new int[] {5, 6, 8});
        assertCode(Code.KV_KEPT, receipt(WeightsPolicy.FOLLOW, KEY), PROMPT);
        assertCode(Code.UNKNOWN_KEY, receipt(WeightsPolicy.PIN, SigningKey.generate()), PROMPT);
        assertCode(Code.MALFORMED_RECEIPT, "no receipt", PROMPT);
        String other = receipt(WeightsPolicy.FOLLOW_AND_RECOMPUTE, KEY);
        String mixed = receipt.substring(0, receipt.lastIndexOf('.')) + other.substring(other.lastIndexOf('.'));
        assertCode(Code.BAD_SIGNATURE, mixed, PROMPT);
        content.updates.put(2L, "other");
        assertCode(Code.OTHER_WEIGHTS, follows, PROMPT);
        content.updates.remove(2L);
        assertCode(Code.VERSION_GONE, follows, PROMPT);
        content.precision = Map.of("kv_type", "f32");
        assertCode(Code.OTHER_PRECISION, receipt, PROMPT);
        content.model = new Receipt.Model("m", "file", "other");
        assertCode(Code.OTHER_MODEL, receipt, PROMPT);
        content.model = new Receipt.Model("m", "other", "prompts");
        assertCode(Code.OTHER_MODEL, receipt, PROMPT);
    }

    @Test
    void shouldNameTheFirstTokenThatDiffers() throws BadRequestException {
        String receipt = receipt(WeightsPolicy.PIN, KEY);
        assertNull(compared(receipt, OUTPUT, null, OUTPUT).difference());
        assertNull(compared(receipt, null, "ab", OUTPUT).difference());
        assertEquals(new Verdict.Difference(1, new Verdict.Piece(9, "b"), new Verdict.Piece(4, "")),
                compared(receipt, new int[] {8, 4}, null, OUTPUT).difference());
        assertEquals(new Verdict.Difference(1, new Verdict.Piece(9, "b"), null),
                compared(receipt, new int[] {8}, null, OUTPUT).difference());
        assertEquals(new Verdict.Difference(2, null, new Verdict.Piece(3, "")),
                compared(receipt, new int[] {8, 9, 3}, null, OUTPUT).difference());
        assertEquals(new Verdict.Difference(1, new Verdict.Piece(9, "b"), new Verdict.Piece(-1, "x")),
                compared(receipt, null, "ax", OUTPUT).difference());
        assertEquals(new Verdict.Difference(2, null, new Verdict.Piece(-1, "c")), compared(receipt, null, "abc", OUTPUT).difference());
        assertEquals(Code.OUTPUT_DIFFERS, compared(receipt, new int[] {8}, null, OUTPUT).code());
        assertEquals(Code.RECOMPUTATION_DIFFERS, compared(receipt, OUTPUT, null, new int[] {8, 4}).code());
        assertEquals(Code.RECOMPUTATION_DIFFERS, compared(receipt, null, null, new int[] {8}).code());
    }

    /** A stream that its client ended may have made one token that was not sent, and no more. */
    @Test
    void shouldKnowThatACancelledStreamMayHaveMadeOneTokenMore() throws BadRequestException {
        String cancelled = receipt(WeightsPolicy.PIN, KEY, List.of(new Evidence.Span(0, 2, 1, "packed")), FinishReason.CANCELLED, OUTPUT);
        for (int[] tokens : List.of(OUTPUT, new int[] {8})) {
            assertNull(compared(cancelled, tokens, null, OUTPUT, null).code());
        }
        for (String text : List.of("ab", "a")) {
            assertNull(compared(cancelled, null, text, OUTPUT, null).code());
        }
        assertEquals(Code.OUTPUT_DIFFERS, compared(cancelled, new int[0], null, OUTPUT, null).code());
        assertEquals(Code.OUTPUT_DIFFERS, compared(cancelled, new int[] {9}, null, OUTPUT, null).code());
        assertEquals(Code.OUTPUT_DIFFERS, compared(cancelled, null, "", OUTPUT, null).code());
        assertEquals(Code.OUTPUT_DIFFERS, compared(cancelled, null, "b", OUTPUT, null).code());
        assertEquals(Code.OUTPUT_DIFFERS, compared(receipt(WeightsPolicy.PIN, KEY), new int[] {8}, null, OUTPUT).code(),
                "it was not cancelled");
    }

    @Test
    void shouldJudgeAStreamWithoutTokens() throws BadRequestException {
        String cancelled = receipt(WeightsPolicy.PIN, KEY, List.of(), FinishReason.CANCELLED, new int[0]);
        assertNull(onNothing(cancelled, null).code());
        assertEquals(Code.OUTPUT_DIFFERS, onNothing(cancelled, new int[] {8}).code());
        for (FinishReason never : List.of(FinishReason.LENGTH, FinishReason.STOP)) { // 2 tokens were asked for
            assertEquals(Code.RECOMPUTATION_DIFFERS, onNothing(receipt(WeightsPolicy.PIN, KEY, List.of(), never, new int[0]), null).code());
        }
        assertEquals(Code.RECOMPUTATION_DIFFERS,
                onNothing(receipt(WeightsPolicy.PIN, KEY, List.of(), FinishReason.CANCELLED, OUTPUT), null).code(),
                "nothing made its tokens");
        content.updates.remove(1L);
        assertCode(Code.VERSION_GONE, cancelled, PROMPT);
    }

    private Verdict onNothing(String receipt, int @Nullable [] tokens) throws BadRequestException {
        return comparison(receipt, tokens, null).verdictOnNothing();
    }

    private Comparison comparison(String receipt, int @Nullable [] tokens, @Nullable String text) throws BadRequestException {
        Judge.Recompute recompute = judge.judge(new VerifyRequest(receipt, (special, at) -> PROMPT, tokens, text)).recompute();
        assertNotNull(recompute);
        return new Comparison(recompute.receipt(), recompute.request());
    }

    private Verdict compared(String receipt, int @Nullable [] tokens, @Nullable String text, int[] computed) throws BadRequestException {
        return compared(receipt, tokens, text, computed, FinishReason.LENGTH);
    }

    private Verdict compared(String receipt, int @Nullable [] tokens, @Nullable String text, int[] computed, @Nullable FinishReason finish)
            throws BadRequestException {
        Comparison comparison = comparison(receipt, tokens, text);
        for (int i = 0; i < computed.length; i++) {
            comparison.add(computed[i], i == 0 ? "a" : "b");
        }
        return comparison.verdict(finish);
    }
}
