package dev.tidestream.server.bench.cluster;

import java.util.Arrays;
import java.util.SplittableRandom;

/** Turns of one client. Depends on its seed alone, so that it is the same however it is routed. */
final class Conversation {
    private final long number;
    private final Traffic traffic;
    private final SplittableRandom random;
    private final int turns;
    private int[] said; // all so far (n)
    private int turn;

    /** @param begin tokens that others of its family begin with, too */
    Conversation(long number, long seed, Traffic traffic, int[] begin) {
        this.number = number;
        this.traffic = traffic;
        random = new SplittableRandom(seed);
        turns = 1 + random.nextInt(traffic.maxTurns());
        said = begin;
    }

    long number() {
        return number;
    }

    boolean goesOn() {
        return turn < turns;
    }

    /** All that was said, and the next turn. */
    int[] nextPrompt() {
        turn++;
        int more = length(traffic.mostTurnTokens());
        int[] prompt = Arrays.copyOf(said, said.length + more);
        for (int i = said.length; i < prompt.length; i++) {
            prompt[i] = random.nextInt(PacedModel.VOCABULARY);
        }
        said = prompt;
        return prompt;
    }

    int nextOutputTokens() {
        return length(traffic.mostOutputTokens());
    }

    private int length(int most) {
        return random.nextInt(Traffic.least(most), most + 1);
    }

    /** The answer, as {@link PacedModel} makes it. */
    void answered(int tokens) {
        int before = said.length;
        said = Arrays.copyOf(said, before + tokens);
        Arrays.fill(said, before, said.length, PacedModel.LIKELIEST);
    }

    long nextThinkNs() {
        return SimConfig.ns(traffic.thinkS() * exponential(random));
    }

    /** Mean 1; the same bits on every machine. */
    static double exponential(SplittableRandom random) {
        return -StrictMath.log(1 - random.nextDouble());
    }
}
