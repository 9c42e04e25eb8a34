package dev.tidestream.server.cluster.gateway;

import dev.tidestream.model.tokenizer.Tokenizer;
import dev.tidestream.server.cluster.route.PrefixChain;
import dev.tidestream.server.engine.ChatPrompts;
import dev.tidestream.server.engine.GenerateRequest;

/**
 * Blocks of the very tokens that a worker will compute: the gateway has the same tokenizer and template. Any thread.
 *
 * @param model names what prompts are computed with
 */
public record TokenizedBlocks(Tokenizer tokenizer, ChatPrompts chats, String model) implements RemoteEngine.PromptBlocks {
    @Override
    public long[] of(GenerateRequest request, long weightsVersion) {
        return new PrefixChain(model, weightsVersion, request.options().adapter()).blocks(tokens(request));
    }

    private int[] tokens(GenerateRequest request) {
        int[] tokens = request.tokens();
        String prompt = request.prompt();
        if (tokens != null) {
            return tokens;
        }
        return prompt != null ? tokenizer.encodePrompt(prompt, request.parseSpecial())
                : chats.encode(request.messages(), request.options().renderedAt()).tokens();
    }
}
