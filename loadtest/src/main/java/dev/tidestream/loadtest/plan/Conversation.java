package dev.tidestream.loadtest.plan;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What one user says, turn by turn. A later prompt is all that was said before, what was generated included, and the user's next
 * words. For one caller at a time.
 */
public final class Conversation {
    private final List<Prompt> turns;
    private final int contextLength;
    private int at;
    private final List<String> messages = new ArrayList<>();
    private String text = "";
    private int[] tokens = {};
    private int used;

    /**
     * @param turns what the user says, all as text or all as tokens; at least one
     * @param contextLength most tokens that the server takes, prompt and output together; 0 if unknown
     */
    public Conversation(List<Prompt> turns, int contextLength) {
        this.turns = List.copyOf(turns);
        this.contextLength = contextLength;
    }

    /** One turn. */
    public static Conversation of(Prompt only) {
        return new Conversation(List.of(only), 0);
    }

    /** The prompt of the next turn. */
    public Prompt next() {
        Prompt turn = turns.get(at++);
        int[] said = turn.tokens();
        if (said != null) {
            int[] all = Arrays.copyOf(tokens, tokens.length + said.length);
            System.arraycopy(said, 0, all, tokens.length, said.length);
            tokens = all;
            return Prompt.of(all, turn.maxTokens());
        }
        text = text.isEmpty() ? String.valueOf(turn.text()) : text + "\n" + turn.text();
        messages.add(String.valueOf(turn.text()));
        return new Prompt(text, null, turn.maxTokens(), messages);
    }

    /**
     * What was generated.
     *
     * @param ids of the tokens
     * @param answer the same as text
     * @param usedTokens prompt and answer as the server counts them; 0 if it does not
     */
    public void answered(int[] ids, String answer, int usedTokens) {
        int[] all = Arrays.copyOf(tokens, tokens.length + ids.length);
        System.arraycopy(ids, 0, all, tokens.length, ids.length);
        tokens = all;
        text += answer;
        messages.add(answer);
        used = usedTokens;
    }

    /**
     * Whether there is another turn, and it is sure to fit: a text is taken to have as many tokens as bytes, which is the most
     * it can have.
     */
    public boolean hasNext() {
        if (at >= turns.size()) {
            return false;
        }
        Prompt turn = turns.get(at);
        int[] said = turn.tokens();
        int more = said != null ? said.length : 1 + String.valueOf(turn.text()).getBytes(StandardCharsets.UTF_8).length;
        return contextLength == 0 || used + more + turn.maxTokens() <= contextLength;
    }

    /** Turns begun. */
    public int begun() {
        return at;
    }
}
