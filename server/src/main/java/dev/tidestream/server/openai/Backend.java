package dev.tidestream.server.openai;

import java.util.function.IntUnaryOperator;
import java.util.function.Supplier;

import org.jspecify.annotations.Nullable;

import dev.tidestream.model.tokenizer.Tokenizer;
import dev.tidestream.server.chat.ModelChat;
import dev.tidestream.server.engine.Engine;
import dev.tidestream.server.engine.TokenEvent;
import dev.tidestream.server.keys.Owner;
import dev.tidestream.server.openai.wire.TokenRequest;
import dev.tidestream.server.receipts.ReceiptIssuer;

/**
 * What the endpoints answer from. Any thread.
 *
 * @param tokenizer of all versions of the model
 * @param chat makes prompts of conversations
 * @param model as of now
 * @param fingerprints of the versions of the weights
 * @param adapters that requests may name as their model
 * @param receipts signs receipts; null if there are none
 * @param defaultMaxTokens of the tokens of a prompt: most tokens of a chat answer whose request names no limit
 */
public record Backend(
        Engine engine, Tokenizer tokenizer, ModelChat chat, Supplier<ServedModel> model, Fingerprints fingerprints,
        AdapterNames adapters, @Nullable ReceiptIssuer receipts, IntUnaryOperator defaultMaxTokens) {

    /** One that issues no receipts. */
    public Backend(
            Engine engine, Tokenizer tokenizer, ModelChat chat, Supplier<ServedModel> model, Fingerprints fingerprints,
            AdapterNames adapters, IntUnaryOperator defaultMaxTokens) {
        this(engine, tokenizer, chat, model, fingerprints, adapters, null, defaultMaxTokens);
    }

    /** The receipt of a stream that has ended, for whoever asked for it; null for one that asked for none. */
    public @Nullable String receipt(TokenEvent.Finish finish, Owner owner) {
        return receipts == null || finish.evidence() == null ? null : receipts.issue(finish, owner.name());
    }

    /** What a request calls what it wants; the model's own id if it says nothing. */
    public String nameOf(TokenRequest request) {
        return request.model() == null ? model.get().id() : request.model();
    }

    /** The adapter that a request names as its model; null if that is the model itself. */
    public @Nullable String adapterOf(TokenRequest request) {
        String asked = request.model();
        return asked == null || asked.equals(model.get().id()) ? null : asked;
    }
}
