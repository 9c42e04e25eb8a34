package dev.tidestream.server.receipts.verify;

import java.util.Arrays;
import java.util.Locale;

import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.FinishReason;
import dev.tidestream.server.engine.Evidence;
import dev.tidestream.server.engine.TokenDigest;
import dev.tidestream.server.receipts.Receipt;
import dev.tidestream.server.receipts.verify.Verdict.Code;
import dev.tidestream.server.receipts.verify.Verdict.Difference;
import dev.tidestream.server.receipts.verify.Verdict.Piece;

/** Gathers a stream that is computed again, and compares it with its receipt and with what the client has got. One thread. */
final class Comparison {
    private static final int LEAST = 64;

    private final Receipt receipt;
    private final VerifyRequest given;
    private int[] tokens = new int[LEAST]; // (at least count)
    private int[] textEnds = new int[LEAST]; // (at least count): characters of text up to a token, that one included
    private final StringBuilder text = new StringBuilder();
    private int count;

    Comparison(Receipt receipt, VerifyRequest given) {
        this.receipt = receipt;
        this.given = given;
    }

    void add(int token, String piece) {
        if (count == tokens.length) {
            tokens = Arrays.copyOf(tokens, 2 * count);
            textEnds = Arrays.copyOf(textEnds, 2 * count);
        }
        text.append(piece);
        tokens[count] = token;
        textEnds[count++] = text.length();
    }

    int count() {
        return count;
    }

    /** The tokens so far {@code (count)}. */
    int[] tokens() {
        return Arrays.copyOf(tokens, count);
    }

    /**
     * The verdict, when there will be no more tokens.
     *
     * @param finish how the stream ended; null if it would have gone on
     */
    Verdict verdict(@Nullable FinishReason finish) {
        Evidence evidence = receipt.evidence();
        FinishReason expected = receipt.finish() == FinishReason.CANCELLED ? null : receipt.finish(); // a client ended it
        Difference difference = difference();
        boolean sameTokens = count == evidence.outputTokens() && TokenDigest.of(tokens()).equals(evidence.outputSha256());
        if (!sameTokens || finish != expected) {
            boolean genuine = given.outputTokens() != null && TokenDigest.of(given.outputTokens()).equals(evidence.outputSha256());
            return Verdict.of(Code.RECOMPUTATION_DIFFERS,
                    "what was computed again is not what the receipt says: tokens=%d, of the receipt=%d%s%s"
                    .formatted(count, evidence.outputTokens(), sameTokens ? "; it ended in another way" : "",
                            genuine || difference != null ? "" : "; give the output's tokens to learn where"), difference, count);
        }
        if (difference != null) {
            return Verdict.of(Code.OUTPUT_DIFFERS,
                    "the output differs from the stream, which was computed again and is what the receipt says: position="
                            + difference.position(), difference, count);
        }
        return Verdict.equal(count);
    }

    /** The verdict on a stream of which no version of the weights made a token, so that nothing is computed. */
    Verdict verdictOnNothing() {
        Evidence evidence = receipt.evidence();
        boolean itCanBe = switch (receipt.finish()) {
            case LENGTH -> evidence.maxTokens() == 0;
            case CANCELLED -> true; // before its first token
            case STOP -> false;
        };
        if (!itCanBe || evidence.outputTokens() != 0 || !TokenDigest.of(new int[0]).equals(evidence.outputSha256())) {
            return Verdict.of(Code.RECOMPUTATION_DIFFERS,
                    "the receipt names no weights, so that its stream has no token and was cancelled or asked for none: "
                            + "tokens=%d, max_tokens=%d, finish_reason=%s".formatted(
                            evidence.outputTokens(), evidence.maxTokens(), receipt.finish().name().toLowerCase(Locale.ROOT)));
        }
        Difference difference = difference();
        return difference == null ? Verdict.equalWithoutTokens()
                : Verdict.of(Code.OUTPUT_DIFFERS, "the stream of the receipt has no token, and the output has", difference, 0);
    }

    private @Nullable Difference difference() {
        if (given.outputTokens() != null) {
            return difference(given.outputTokens());
        }
        return given.outputText() == null ? null : difference(given.outputText());
    }

    /** Whether that is all but the last token of a stream that its client ended: that one may have been made and not sent. */
    private boolean allButOneNotSent(int sent) {
        return receipt.finish() == FinishReason.CANCELLED && count == receipt.evidence().outputTokens() && sent == count - 1;
    }

    private @Nullable Difference difference(int[] found) {
        int at = Arrays.mismatch(tokens, 0, count, found, 0, found.length);
        return at < 0 || (at == found.length && allButOneNotSent(at)) ? null
                : new Difference(at, at < count ? piece(at) : null, at < found.length ? new Piece(found[at], "") : null);
    }

    private @Nullable Difference difference(String found) {
        int same = 0;
        while (same < Math.min(found.length(), text.length()) && found.charAt(same) == text.charAt(same)) {
            same++;
        }
        if (same == found.length() && (same == text.length() || (count > 0 && same == end(count - 1) && allButOneNotSent(count - 1)))) {
            return null;
        }
        int at = 0;
        while (at < count && textEnds[at] <= same) {
            at++;
        }
        if (at == count) {
            return new Difference(count, null, new Piece(-1, found.substring(same)));
        }
        int begin = end(at);
        return new Difference(at, piece(at), new Piece(-1, found.substring(begin, Math.min(found.length(), textEnds[at]))));
    }

    private Piece piece(int at) {
        return new Piece(tokens[at], text.substring(end(at), textEnds[at]));
    }

    /** Characters of the text of so many tokens. */
    private int end(int tokens) {
        return tokens == 0 ? 0 : textEnds[tokens - 1];
    }
}
