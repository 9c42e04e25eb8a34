package dev.tidestream.server.openai;

import java.util.function.IntUnaryOperator;
import java.util.function.Supplier;

import dev.tidestream.model.tokenizer.Tokenizer;
import dev.tidestream.server.chat.ModelChat;
import dev.tidestream.server.engine.Engine;

/**
 * What the endpoints answer from. Any thread.
 *
 * @param tokenizer of all versions of the model
 * @param chat makes prompts of conversations
 * @param model as of now
 * @param fingerprints of the versions of the weights
 * @param defaultMaxTokens of the tokens of a prompt: most tokens of a chat answer whose request names no limit
 */
public record Backend(
        Engine engine, Tokenizer tokenizer, ModelChat chat, Supplier<ServedModel> model, Fingerprints fingerprints,
        IntUnaryOperator defaultMaxTokens) {}
