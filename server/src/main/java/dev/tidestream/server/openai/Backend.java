package dev.tidestream.server.openai;

import java.util.function.Supplier;

import org.jspecify.annotations.Nullable;

import dev.tidestream.model.tokenizer.Tokenizer;
import dev.tidestream.server.chat.ModelChat;
import dev.tidestream.server.engine.Engine;
import dev.tidestream.server.openai.wire.TokenRequest;

/**
 * What the endpoints answer from. Any thread.
 *
 * @param tokenizer of all versions of the model
 * @param chat makes prompts of conversations
 * @param model as of now
 * @param fingerprints of the versions of the weights
 * @param adapters that requests may name as their model
 * @param defaultMaxTokens most tokens of a chat answer whose request names no limit
 */
public record Backend(
        Engine engine, Tokenizer tokenizer, ModelChat chat, Supplier<ServedModel> model, Fingerprints fingerprints,
        AdapterNames adapters, int defaultMaxTokens) {

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
