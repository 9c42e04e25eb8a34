package dev.tidestream.server.receipts.verify;

import java.io.IOException;
import java.util.Locale;

import com.fasterxml.jackson.core.JsonGenerator;
import org.jspecify.annotations.Nullable;

import dev.tidestream.server.receipts.SignedReceipt;

/**
 * What a verification has come to.
 *
 * @param code what a program tells them apart by; null if all is equal
 * @param message for people
 * @param difference the first token that differs; null if there is none, or it is not known which
 * @param tokens that were computed again
 */
record Verdict(Result result, @Nullable Code code, String message, @Nullable Difference difference, int tokens) {

    /** In a word. */
    enum Result {
        /** The stream was computed again and is the same, or has no token. */
        EQUAL,
        /** Something is not what the receipt says. */
        DIFFERENT,
        /** The receipt is genuine, and the stream cannot be computed again here. */
        UNVERIFIABLE,
        /** It is no receipt of this server. */
        INVALID;

        String wireName() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** Why. */
    enum Code {
        /** It cannot be read. */
        MALFORMED_RECEIPT(Result.INVALID),
        /** It was signed with a key that this server does not know. */
        UNKNOWN_KEY(Result.INVALID),
        /** It was changed after it was signed. */
        BAD_SIGNATURE(Result.INVALID),
        /** There is no prompt to compute from. */
        NO_PROMPT(Result.UNVERIFIABLE),
        /** Another model file, tokenizer or chat template is served. */
        OTHER_MODEL(Result.UNVERIFIABLE),
        /** It is computed in another way. */
        OTHER_PRECISION(Result.UNVERIFIABLE),
        /** A version of the weights is not kept any more. */
        VERSION_GONE(Result.UNVERIFIABLE),
        /** A version has the number, and other weights. */
        OTHER_WEIGHTS(Result.UNVERIFIABLE),
        /** The head of that version is computed in another way. */
        OTHER_HEAD_MODE(Result.UNVERIFIABLE),
        /** New weights came in mid-text, and keys and values of the old ones were kept. */
        KV_KEPT(Result.UNVERIFIABLE),
        /** The engine refuses the stream. */
        REFUSED(Result.UNVERIFIABLE),
        /** The prompt is not the one of the receipt. */
        PROMPT_DIFFERS(Result.DIFFERENT),
        /** The output is not the one of the receipt, which was computed again and is the same. */
        OUTPUT_DIFFERS(Result.DIFFERENT),
        /** What was computed again is not what the receipt says. */
        RECOMPUTATION_DIFFERS(Result.DIFFERENT);

        private final Result result;

        Code(Result result) {
            this.result = result;
        }

        String wireName() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /**
     * Where two streams part.
     *
     * @param position {@code seq} of the token
     * @param expected what was computed again; null: the stream had ended
     * @param found what there was; null: nothing more
     */
    record Difference(int position, @Nullable Piece expected, @Nullable Piece found) {}

    /**
     * A token, or a text where tokens are not known.
     *
     * @param token -1 if it is not known
     */
    record Piece(int token, String text) {}

    static Verdict equal(int tokens) {
        return new Verdict(Result.EQUAL, null, "the stream was computed again, and is the same: tokens=" + tokens, null, tokens);
    }

    /** Of a stream that made no token, so that there was nothing to compute. */
    static Verdict equalWithoutTokens() {
        return new Verdict(Result.EQUAL, null,
                "the receipt is of a stream without tokens, and the prompt is its: nothing had to be computed", null, 0);
    }

    static Verdict of(Code code, String message) {
        return new Verdict(code.result, code, message, null, 0);
    }

    static Verdict of(Code code, String message, @Nullable Difference difference, int tokens) {
        return new Verdict(code.result, code, message, difference, tokens);
    }

    /**
     * Writes the fields of an answer.
     *
     * @param receipt what was verified; null if it cannot be read
     */
    void writeTo(JsonGenerator json, @Nullable SignedReceipt receipt) throws IOException {
        json.writeStringField("result", result.wireName());
        json.writeStringField("code", code == null ? null : code.wireName());
        json.writeStringField("message", message);
        json.writeNumberField("tokens", tokens);
        if (difference != null) {
            json.writeObjectFieldStart("difference");
            json.writeNumberField("position", difference.position());
            write(json, "expected", difference.expected());
            write(json, "found", difference.found());
            json.writeEndObject();
        }
        if (receipt != null) {
            json.writeStringField("kid", receipt.kid());
        }
        if (receipt != null && result != Result.INVALID) { // else it is anybody's words
            json.writeFieldName("receipt");
            json.writeRawValue(receipt.payload());
        }
    }

    private static void write(JsonGenerator json, String name, @Nullable Piece piece) throws IOException {
        if (piece == null) {
            json.writeNullField(name);
            return;
        }
        json.writeObjectFieldStart(name);
        if (piece.token() >= 0) {
            json.writeNumberField("token", piece.token());
        }
        json.writeStringField("text", piece.text());
        json.writeEndObject();
    }
}
