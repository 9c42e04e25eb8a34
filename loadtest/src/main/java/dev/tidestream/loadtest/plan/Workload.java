package dev.tidestream.loadtest.plan;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.ToIntFunction;
import java.util.random.RandomGenerator;

/** Conversations without end; for one caller at a time. */
public interface Workload {
    /** The next user's; most have a single turn. */
    Conversation next(RandomGenerator random);

    /**
     * How long things are.
     *
     * @param prompt tokens of the first prompt
     * @param output most tokens to generate
     * @param turns of a conversation
     * @param laterPrompt tokens that the user adds in each later turn
     * @param sharedShare share of each first prompt, from its beginning, that is the same for all, in [0, 1]
     * @param contextLength most tokens that the server takes; 0 if unknown. A conversation ends where it may not fit
     */
    record Sizes(Lengths prompt, Lengths output, Lengths turns, Lengths laterPrompt, double sharedShare, int contextLength) {
        public Sizes {
            if (!(sharedShare >= 0 && sharedShare <= 1)) {
                throw new IllegalArgumentException("the shared share must be in [0, 1]: " + sharedShare);
            }
        }

        /** Single turns that share nothing. */
        public static Sizes of(Lengths prompt, Lengths output) {
            return new Sizes(prompt, output, new Lengths.Constant(1), new Lengths.Constant(1), 0, 0);
        }
    }

    /** The same text always. */
    static Workload fixed(String text, Lengths outputs) {
        return random -> Conversation.of(Prompt.of(text, outputs.next(random)));
    }

    /**
     * Token ids at random, so that a prompt has exactly the length it shall have.
     *
     * @param vocabularySize ids are below it; the first 300 (special tokens and bytes, in most models) are left out if that
     *     leaves enough
     */
    static Workload tokens(Sizes sizes, int vocabularySize, long seed) {
        int lowest = vocabularySize > 1000 ? 300 : vocabularySize > 16 ? 8 : 0;
        return conversations(sizes, seed, random -> random.nextInt(lowest, vocabularySize), Prompt::of);
    }

    /** English words at random, about one token each; for servers that take no token ids. */
    static Workload words(Sizes sizes, long seed) {
        String[] words = ("the a one two little big old new red blue day night house river tree garden friend mother child dog"
                + " cat bird boat road hill town went saw found made gave took said told played ran walked looked smiled happy"
                + " sad kind brave and but so then because very again").split(" ", -1);
        return conversations(sizes, seed, random -> random.nextInt(words.length), (chosen, maxTokens) -> {
            StringBuilder text = new StringBuilder();
            for (int word : chosen) {
                text.append(text.isEmpty() ? "" : " ").append(words[word]);
            }
            return Prompt.of(text.toString(), maxTokens);
        });
    }

    /** Makes a prompt of what was drawn for it. */
    interface Form {
        Prompt of(int[] drawn, int maxTokens);
    }

    private static Workload conversations(Sizes sizes, long seed, ToIntFunction<RandomGenerator> draw, Form form) {
        return random -> {
            List<Prompt> turns = new ArrayList<>();
            int count = sizes.turns().next(random);
            while (turns.size() < count) {
                int[] drawn = new int[(turns.isEmpty() ? sizes.prompt() : sizes.laterPrompt()).next(random)];
                int shared = turns.isEmpty() ? (int) Math.round(drawn.length * sizes.sharedShare()) : 0;
                RandomGenerator same = new SplittableRandom(seed);
                for (int i = 0; i < drawn.length; i++) {
                    drawn[i] = draw.applyAsInt(i < shared ? same : random);
                }
                turns.add(form.of(drawn, sizes.output().next(random)));
            }
            return new Conversation(turns, sizes.contextLength());
        };
    }

    /**
     * The conversations of a file, in turn; after the last comes the first again.
     *
     * @param sizes of which {@code turns} is the most that are taken of each conversation, and {@code output} is for those that
     *     do not say
     */
    static Workload of(PromptFile file, Sizes sizes) {
        int[] at = {0};
        return random -> {
            PromptFile.Entry entry = file.entries().get(at[0]++ % file.entries().size());
            int count = Math.min(sizes.turns().next(random), entry.turns().size());
            List<Prompt> turns = new ArrayList<>();
            for (PromptFile.Turn turn : entry.turns().subList(0, count)) {
                int maxTokens = entry.maxTokens() > 0 ? entry.maxTokens() : sizes.output().next(random);
                int[] tokens = turn.tokens();
                turns.add(tokens == null ? Prompt.of(String.valueOf(turn.text()), maxTokens) : Prompt.of(tokens, maxTokens));
            }
            return new Conversation(turns, sizes.contextLength());
        };
    }
}
