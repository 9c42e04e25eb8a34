package dev.tidestream.server.huggingface.tokenizer;

import java.util.AbstractList;
import java.util.Arrays;
import java.util.List;
import java.util.RandomAccess;

import dev.tidestream.model.gguf.GgufException;
import dev.tidestream.model.tokenizer.TokenizerException;
import dev.tidestream.model.tokenizer.TokenizerSpec.Merge;

/** Merges as pairs of ids, made into texts when they are asked for. Immutable. */
final class MergePairs extends AbstractList<Merge> implements RandomAccess {
    private final List<String> tokens;
    private final int[] pairs;

    private MergePairs(List<String> tokens, int[] pairs) {
        this.tokens = tokens;
        this.pairs = pairs;
    }

    /**
     * Looks merges up. Those that would make a special token of text, or of one, are left out: no text is to become one.
     *
     * @param texts left, right, left, right, …
     * @param tokens texts by id
     */
    static List<Merge> of(List<String> texts, TokenTable table, List<String> tokens, String place) {
        int[] pairs = new int[texts.size()];
        int used = 0;
        for (int i = 0; i < texts.size(); i += 2) {
            String left = texts.get(i);
            String right = texts.get(i + 1);
            int leftId = table.idOf(left);
            int rightId = table.idOf(right);
            int joinedId = table.idOf(left + right);
            if (leftId < 0 || rightId < 0 || joinedId < 0) {
                String text = leftId < 0 ? left : rightId < 0 ? right : left + right;
                throw new TokenizerException("%s.merges[%d]: not a token of the vocabulary: '%s', merge='%s %s'".formatted(
                        place, i / 2, GgufException.quote(text), GgufException.quote(left), GgufException.quote(right)));
            }
            if (table.isPlain(leftId) && table.isPlain(rightId) && table.isPlain(joinedId)) {
                pairs[used++] = leftId;
                pairs[used++] = rightId;
            }
        }
        return new MergePairs(tokens, Arrays.copyOf(pairs, used));
    }

    @Override
    public Merge get(int rank) {
        return new Merge(tokens.get(pairs[2 * rank]), tokens.get(pairs[2 * rank + 1]));
    }

    @Override
    public int size() {
        return pairs.length / 2;
    }
}
