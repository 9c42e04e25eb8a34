package dev.tidestream.server.engine;

/**
 * How much may wait for the tokenizer or be with it. The last quarter of number and bytes is kept for clients that have nothing
 * there, so that a few that send a lot do not shut the others out.
 *
 * @param maxPrompts most prompts, at least 1
 * @param maxPromptBytes longest prompt, in bytes of UTF-8
 * @param maxBytes most bytes of all prompts together, with their stop strings and biases; at least those of one connection
 * @param maxBytesPerConnection most bytes of one connection's prompts; at least those of the longest prompt
 */
public record PromptLimits(int maxPrompts, int maxPromptBytes, long maxBytes, long maxBytesPerConnection) {
    private static final int KEPT_FOR_OTHERS = 4; // a quarter

    public PromptLimits {
        EngineConfig.requireAtLeast(1, "max_queued_prompts", maxPrompts);
        EngineConfig.requireAtLeast(1, "max_prompt_bytes", maxPromptBytes);
        EngineConfig.requireAtLeast(maxPromptBytes, "max_prompt_bytes_per_connection", maxBytesPerConnection);
        EngineConfig.requireAtLeast(maxBytesPerConnection, "max_prompt_bytes_in_all", maxBytes);
    }

    /** @param hasSome whether the client that asks has a prompt there already */
    int maxPrompts(boolean hasSome) {
        return hasSome ? maxPrompts - maxPrompts / KEPT_FOR_OTHERS : maxPrompts;
    }

    /** @param hasSome whether the client that asks has a prompt there already */
    long maxBytes(boolean hasSome) {
        return hasSome ? maxBytes - maxBytes / KEPT_FOR_OTHERS : maxBytes;
    }
}
