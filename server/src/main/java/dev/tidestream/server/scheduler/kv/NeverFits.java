package dev.tidestream.server.scheduler.kv;

/** More positions than the whole pool has blocks for, which is enough for {@code budgetPositions} of one sequence. */
public record NeverFits(
        int positions, int neededBlocks, long neededBytes, int budgetBlocks, long budgetBytes, long budgetPositions) {

    /** The numbers, for the client to read, and what would fit. */
    public String message(int promptTokens, int maxTokens) {
        long left = budgetPositions - promptTokens;
        String fits = left > 0
                ? "max_tokens=%d would fit this prompt".formatted(left)
                : "no max_tokens fits this prompt, a prompt of %d tokens would fit max_tokens=1".formatted(budgetPositions - 1);
        return ("KV cache can never hold the request: prompt_tokens=%d, max_tokens=%d, positions=%d, needed_blocks=%d, "
                + "needed_bytes=%d, budget_blocks=%d, budget_bytes=%d, budget_positions=%d; %s").formatted(
                        promptTokens, maxTokens, positions, neededBlocks, neededBytes,
                        budgetBlocks, budgetBytes, budgetPositions, fits);
    }
}
