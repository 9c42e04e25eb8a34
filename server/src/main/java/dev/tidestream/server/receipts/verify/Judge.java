package dev.tidestream.server.receipts.verify;

import java.util.List;
import java.util.Map;
import java.util.Optional;

import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.WeightsPolicy;
import dev.tidestream.server.engine.Evidence;
import dev.tidestream.server.engine.TokenDigest;
import dev.tidestream.server.openai.wire.BadRequestException;
import dev.tidestream.server.receipts.JwkSet;
import dev.tidestream.server.receipts.PublicReceiptKey;
import dev.tidestream.server.receipts.Receipt;
import dev.tidestream.server.receipts.ReceiptException;
import dev.tidestream.server.receipts.ServedContent;
import dev.tidestream.server.receipts.SignedReceipt;
import dev.tidestream.server.receipts.verify.Verdict.Code;

/** Judges all of a receipt that can be judged without computing its stream. Any thread, once the content is ready. */
final class Judge {
    private final JwkSet keys;
    private final ServedContent content;

    /** @param keys whose receipts are genuine */
    Judge(JwkSet keys, ServedContent content) {
        this.keys = keys;
        this.content = content;
    }

    /**
     * What is left to do.
     *
     * @param receipt taken apart; null if it cannot be
     * @param verdict if it is known already, else null
     * @param recompute what is to be computed and compared, if there is no verdict yet
     */
    record Judged(@Nullable SignedReceipt receipt, @Nullable Verdict verdict, @Nullable Recompute recompute) {}

    /**
     * A stream to be computed again.
     *
     * @param prompt its tokens {@code (n)}; not copied
     */
    @SuppressWarnings("ArrayRecordComponent") // handed on, and never compared
    record Recompute(Receipt receipt, int[] prompt, VerifyRequest request) {}

    Judged judge(VerifyRequest request) throws BadRequestException {
        SignedReceipt signed;
        try {
            signed = SignedReceipt.parse(request.receipt());
        } catch (ReceiptException e) {
            return new Judged(null, Verdict.of(Code.MALFORMED_RECEIPT, String.valueOf(e.getMessage())), null);
        }
        Optional<PublicReceiptKey> key = keys.find(signed.kid());
        if (key.isEmpty()) {
            return new Judged(signed, Verdict.of(Code.UNKNOWN_KEY, "this server does not know the key that the receipt names"), null);
        }
        if (!signed.signedWith(key.get())) {
            return new Judged(signed, Verdict.of(Code.BAD_SIGNATURE, "the receipt is not what was signed with this key"), null);
        }
        Receipt receipt;
        try {
            receipt = signed.receipt();
        } catch (ReceiptException e) {
            return new Judged(signed, Verdict.of(Code.MALFORMED_RECEIPT, String.valueOf(e.getMessage())), null);
        }
        Verdict served = judgeServed(receipt);
        if (served != null) {
            return new Judged(signed, served, null);
        }
        if (request.prompt() == null) {
            return new Judged(signed, Verdict.of(Code.NO_PROMPT,
                    "the receipt is genuine; to compute its stream again, give prompt, tokens or messages"), null);
        }
        int[] prompt = request.prompt().tokens(receipt.evidence().parseSpecial(), receipt.evidence().renderedAt());
        if (!TokenDigest.of(prompt).equals(receipt.evidence().promptSha256())) {
            return new Judged(signed, Verdict.of(Code.PROMPT_DIFFERS,
                    "the prompt is not the one of the receipt: tokens=%d, of the receipt=%d".formatted(prompt.length, receipt.evidence().promptTokens())), null);
        }
        return new Judged(signed, null, new Recompute(receipt, prompt, request));
    }

    /** Whether what is served is what the stream was made with; null if it is. */
    private @Nullable Verdict judgeServed(Receipt receipt) {
        Receipt.Model served = content.model();
        if (!served.sha256().equals(receipt.model().sha256())) {
            return Verdict.of(Code.OTHER_MODEL, "this server has another model: sha256=%s, of the receipt=%s"
                    .formatted(served.sha256(), receipt.model().sha256()));
        }
        if (!served.promptsSha256().equals(receipt.model().promptsSha256())) {
            return Verdict.of(Code.OTHER_MODEL, "this server has another tokenizer or chat template: prompts_sha256=%s, of the receipt=%s"
                    .formatted(served.promptsSha256(), receipt.model().promptsSha256()));
        }
        for (Map.Entry<String, String> ours : content.precision().entrySet()) {
            String theirs = receipt.precision().get(ours.getKey());
            if (!ours.getValue().equals(theirs)) {
                return Verdict.of(Code.OTHER_PRECISION, "this server computes in another way: %s=%s, of the receipt=%s"
                        .formatted(ours.getKey(), ours.getValue(), theirs));
            }
        }
        return judgeWeights(receipt);
    }

    private @Nullable Verdict judgeWeights(Receipt receipt) {
        Evidence evidence = receipt.evidence();
        List<Evidence.Span> spans = evidence.spans();
        long version = evidence.acceptedVersion();
        if (spans.isEmpty() && updatesSha256(version) == null) {
            return gone(version);
        }
        for (int i = 0; i < spans.size(); i++) {
            Evidence.Span span = spans.get(i);
            if (evidence.weights() == WeightsPolicy.FOLLOW && span.weightsVersion() != version) {
                return Verdict.of(Code.KV_KEPT, ("keys and values of version %d were kept when version %d came, before token %d: they "
                        + "are gone, and with them what these tokens depend on; kv=recompute keeps streams verifiable")
                                .formatted(version, span.weightsVersion(), span.from()));
            }
            String updates = updatesSha256(span.weightsVersion());
            if (updates == null) {
                return gone(span.weightsVersion());
            }
            if (!updates.equals(receipt.updatesSha256().get(i))) {
                return Verdict.of(Code.OTHER_WEIGHTS,
                        "this server's weights of that number are others: weights_version=%d, updates_sha256=%s, of the receipt=%s"
                                .formatted(span.weightsVersion(), updates, receipt.updatesSha256().get(i)));
            }
        }
        return null;
    }

    private static Verdict gone(long weightsVersion) {
        return Verdict.of(Code.VERSION_GONE, "this server never had the weights: weights_version=" + weightsVersion);
    }

    private @Nullable String updatesSha256(long weightsVersion) {
        try {
            return content.updatesSha256(weightsVersion);
        } catch (IllegalStateException _) { // there is no such version
            return null;
        }
    }
}
