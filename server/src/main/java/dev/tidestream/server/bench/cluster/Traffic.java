package dev.tidestream.server.bench.cluster;

/**
 * Conversations that begin at random (Poisson), each with a prompt that some others begin with, too.
 *
 * @param rate requests per second and worker: turns, not conversations
 * @param families of prompts that begin alike: system prompts; the n-th is asked for 1/n as often as the first (Zipf)
 * @param sharedTokens that those of a family have in common
 * @param maxTurns of a conversation: 1 to so many, evenly
 * @param mostTurnTokens that a turn adds: from an eighth of this on, evenly
 * @param mostOutputTokens of an answer: from an eighth of this on, evenly
 * @param thinkS seconds from an answer to the next turn, on average (exponential)
 */
public record Traffic(
        double rate, int families, int sharedTokens, int maxTurns, int mostTurnTokens, int mostOutputTokens, double thinkS) {
    /** One request per second and worker; 50 system prompts of 512 tokens; up to 6 turns of 32 to 256 tokens, answers of 32 to 256. */
    public static final Traffic CHAT = new Traffic(1, 50, 512, 6, 256, 256, 10);

    private static final int LEAST_PART = 8;

    /** Checks; a conversation must fit the context. */
    public Traffic {
        if (!(rate > 0) || families < 1 || sharedTokens < 0 || maxTurns < 1 || mostTurnTokens < LEAST_PART
                || mostOutputTokens < LEAST_PART || !(thinkS >= 0)) {
            throw new IllegalArgumentException(
                    "traffic must be positive: rate=%s, families=%d, shared=%d, turns=%d, turn=%d, output=%d, think=%s".formatted(
                    rate, families, sharedTokens, maxTurns, mostTurnTokens, mostOutputTokens, thinkS));
        }
        long most = sharedTokens + (long) maxTurns * (mostTurnTokens + mostOutputTokens);
        if (most >= PacedModel.CONTEXT) {
            throw new IllegalArgumentException(
                    "a conversation must fit the context: tokens=%d, context=%d".formatted(most, PacedModel.CONTEXT));
        }
    }

    /** The same at another rate. */
    public Traffic withRate(double perWorker) {
        return new Traffic(perWorker, families, sharedTokens, maxTurns, mostTurnTokens, mostOutputTokens, thinkS);
    }

    /** Conversations per second and worker. */
    double conversationRate() {
        return rate / ((1 + maxTurns) / 2.0);
    }

    static int least(int most) {
        return most / LEAST_PART;
    }
}
