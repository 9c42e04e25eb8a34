package dev.tidestream.loadtest.run;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.random.RandomGenerator;

import dev.tidestream.loadtest.figures.Promise;
import dev.tidestream.loadtest.plan.Prompt;

/**
 * Answers that are asked for again: the same prompt and seed must give the same text, and the same tokens where they are told. On
 * the I/O thread.
 */
final class Repeats {
    private static final int KEPT = 64;

    /**
     * What was asked and answered.
     *
     * @param weightsVersion that made it; -1 if the server does not say
     * @param tokens of the text
     */
    record Answered(Prompt prompt, long seed, long weightsVersion, String text, List<Integer> tokens) {}

    private final List<Answered> answered = new ArrayList<>();
    private final Promises promises;
    private final boolean tokensTold;
    private int oldest;

    /** @param tokensTold whether each token is seen; otherwise an event may have several */
    Repeats(Promises promises, boolean tokensTold) {
        this.promises = promises;
        this.tokensTold = tokensTold;
    }

    /** One to ask for again, if there is any. */
    Optional<Answered> pick(RandomGenerator random) {
        return answered.isEmpty() ? Optional.empty() : Optional.of(answered.get(random.nextInt(answered.size())));
    }

    /**
     * A stream has come to its own end. One that follows new weights, or goes on with a conversation, is not kept.
     *
     * @return what can be asked for again
     */
    Optional<Answered> finished(Stream stream) {
        Answered before = stream.repeats;
        String text = stream.answerText();
        List<Integer> tokens = tokensTold ? Arrays.stream(stream.answerTokens()).boxed().toList() : List.of();
        if (before != null) {
            if (before.weightsVersion() == stream.check.weightsVersion()) {
                promises.check(Promise.REPEATED, text.equals(before.text()) && tokens.equals(before.tokens()), () -> stream.id
                        + ": another text with the same prompt and seed: seed="
                        + before.seed() + ": " + (text.equals(before.text()) ? "tokens=" + before.tokens() + " and " + tokens
                        : difference(before.text(), text)));
            }
            return Optional.empty();
        }
        if (stream.turn > 1 || stream.check.follows()) {
            return Optional.empty();
        }
        Answered answer = new Answered(stream.prompt, stream.seed, stream.check.weightsVersion(), text, tokens);
        if (answered.size() < KEPT) {
            answered.add(answer);
        } else {
            answered.set(oldest, answer);
            oldest = (oldest + 1) % KEPT;
        }
        return Optional.of(answer);
    }

    private static String difference(String a, String b) {
        int at = 0;
        while (at < Math.min(a.length(), b.length()) && a.charAt(at) == b.charAt(at)) {
            at++;
        }
        return "characters=%d and %d, the first difference at %d".formatted(a.length(), b.length(), at);
    }
}
