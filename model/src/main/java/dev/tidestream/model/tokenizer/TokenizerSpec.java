package dev.tidestream.model.tokenizer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.LongStream;

import dev.tidestream.model.tokenizer.normalizer.Normalizer;
import dev.tidestream.model.tokenizer.pretokenizer.PreTokenizer;
import dev.tidestream.model.tokenizer.pretokenizer.Step;

/**
 * What a tokenizer is made of, whatever file says it: {@link Tokenizers} reads it from GGUF, the server also from Hugging Face folders.
 * Immutable, as long as nobody changes the lists and arrays that it was made of.
 *
 * @param algorithm how a word becomes tokens
 * @param tokens texts by id, as {@code decoding} has them {@code (vocabulary)}
 * @param types by id {@code (vocabulary)}
 * @param preparation how a text becomes words
 * @param decoding how tokens become text
 * @param specials tokens with a meaning of their own
 */
public record TokenizerSpec(
        Algorithm algorithm, List<String> tokens, List<TokenType> types, Preparation preparation, Decoding decoding, Specials specials) {

    /** U+2581, which SentencePiece writes for a space. */
    public static final char ESCAPED_SPACE = Vocabulary.ESCAPED_SPACE;

    private static final float PADDING_SCORE = -1000; // as in llama.cpp's converter
    private static final int MOST_STEPS = 64; // normalizers, and steps of the pre-tokenizer
    private static final long MOST_GROWTH = 4096; // of a text, by normalizers; known ones have up to 18 x 3 x 40

    /**
     * @throws TokenizerException if an array is not as long as the vocabulary, an id lies outside, there are too many normalizers or steps,
     *     or normalizers make a text too long
     */
    public TokenizerSpec {
        if (tokens.isEmpty()) {
            throw new TokenizerException("the vocabulary is empty");
        }
        requireCount("types", types.size(), tokens.size());
        switch (algorithm) {
            case SentencePiece(float[] scores) -> requireCount("scores", scores.length, tokens.size());
            case Unigram(float[] scores, boolean _) -> requireCount("scores", scores.length, tokens.size());
            case BytePair _ -> { }
        }
        int size = tokens.size();
        specials.named().forEach((name, id) -> requireId(name, id, size));
        specials.endOfGeneration().forEach(id -> requireId("end of generation", id, size));
        specials.prefix().forEach(id -> requireId("prefix", id, size));
        specials.suffix().forEach(id -> requireId("suffix", id, size));
        preparation.addedTokens().keySet().forEach(id -> requireId("added token", id, size));
        requireBounded(preparation);
    }

    private static void requireBounded(Preparation preparation) {
        int normalizers = preparation.normalizers().size();
        int steps = preparation.preTokenizer().steps().size();
        if (normalizers > MOST_STEPS || steps > MOST_STEPS) {
            throw new TokenizerException("too many normalizers or steps of the pre-tokenizer: normalizers=%d, steps=%d, limit=%d"
                    .formatted(normalizers, steps, MOST_STEPS));
        }
        requireBounded("normalizers", preparation.normalizers().stream().mapToLong(Normalizer::growth));
        requireBounded("steps of the pre-tokenizer", preparation.preTokenizer().steps().stream().mapToLong(Step::growth));
    }

    private static void requireBounded(String what, LongStream growths) {
        long growth = growths.reduce(1, (all, one) -> all > MOST_GROWTH ? all : all * Math.min(MOST_GROWTH + 1, one));
        if (growth > MOST_GROWTH) {
            throw new TokenizerException("%s may make a text too long: times=%d or more, limit=%d".formatted(what, growth, MOST_GROWTH));
        }
    }

    /**
     * The same with a token for each row of an embedding that has more rows: unused ones named {@code [PADn]}, n the id,
     * as llama.cpp's converter has them.
     *
     * @return this one if there are as many tokens
     */
    public TokenizerSpec padded(int rows) {
        int size = tokens.size();
        if (rows <= size) {
            return this;
        }
        List<String> texts = new ArrayList<>(tokens);
        List<TokenType> kinds = new ArrayList<>(types);
        for (int id = size; id < rows; id++) {
            texts.add("[PAD%d]".formatted(id));
            kinds.add(TokenType.UNUSED);
        }
        Algorithm same = switch (algorithm) {
            case SentencePiece(float[] scores) -> new SentencePiece(padded(scores, rows));
            case Unigram(float[] scores, boolean byteFallback) -> new Unigram(padded(scores, rows), byteFallback);
            case BytePair pairs -> pairs;
        };
        return new TokenizerSpec(same, List.copyOf(texts), List.copyOf(kinds), preparation, decoding, specials);
    }

    private static float[] padded(float[] scores, int rows) {
        float[] all = Arrays.copyOf(scores, rows);
        Arrays.fill(all, scores.length, rows, PADDING_SCORE);
        return all;
    }

    /**
     * How many of these tokens stand for something: all but the unused ones at the end that are named {@code [PADn]}, which
     * converters write where an embedding has more rows than there are tokens. All of them, if all are such.
     */
    public static int usedTokens(List<String> tokens, List<TokenType> types) {
        int used = tokens.size();
        while (used > 0 && types.get(used - 1) == TokenType.UNUSED && isPadding(tokens.get(used - 1))) {
            used--;
        }
        return used == 0 ? tokens.size() : used;
    }

    private static boolean isPadding(String text) {
        int digits = text.length() - "[PAD]".length();
        return digits > 0 && text.startsWith("[PAD") && text.endsWith("]")
                && text.chars().skip("[PAD".length()).limit(digits).allMatch(c -> c >= '0' && c <= '9');
    }

    /** Whether a token of this text ends generation, whatever a file says: converters often name only one of several. */
    public static boolean isEndText(String text) {
        return Vocabulary.isEndText(text);
    }

    private static void requireCount(String what, int count, int tokens) {
        if (count != tokens) {
            throw new TokenizerException("%s: one per token expected: count=%d, tokens=%d".formatted(what, count, tokens));
        }
    }

    private static void requireId(String what, int id, int tokens) {
        if (id < 0 || id >= tokens) {
            throw new TokenizerException("%s: not in the vocabulary: id=%d, tokens=%d".formatted(what, id, tokens));
        }
    }

    /** How a word becomes tokens. */
    public sealed interface Algorithm {}

    /** What byte pairs are merged of. */
    public enum Symbols {
        /** Bytes, written with GPT-2's alphabet. */
        BYTES,
        /** Characters. */
        CHARACTERS
    }

    /**
     * Merges by rank.
     *
     * @param merges best first
     * @param ignoresMerges a word that is a token is that token
     * @param byteFallback a character that is no token becomes byte tokens
     * @param fusesUnknown a row of characters that are nothing at all becomes one unknown token
     */
    public record BytePair(Symbols symbols, List<Merge> merges, boolean ignoresMerges, boolean byteFallback, boolean fusesUnknown)
            implements Algorithm {}

    /** Two neighbours that become one token. */
    public record Merge(String left, String right) {}

    /**
     * Merges by the score of what comes out.
     *
     * @param scores by id, the highest first
     */
    public record SentencePiece(float[] scores) implements Algorithm {}

    /**
     * The tokens whose scores add up to most.
     *
     * @param scores by id: logarithms of probabilities
     */
    public record Unigram(float[] scores, boolean byteFallback) implements Algorithm {}

    /**
     * How a text becomes words.
     *
     * @param normalizers in order
     * @param leftmostTokens tokens that are written in a text are found from left to right (Hugging Face); otherwise the longest ones
     *     first, wherever they stand (llama.cpp)
     * @param addedTokens by id: how they are found, where that is not simply where they stand
     */
    public record Preparation(
            List<Normalizer> normalizers, PreTokenizer preTokenizer, boolean leftmostTokens, Map<Integer, AddedToken> addedTokens) {}

    /**
     * How a token is found that is written in a text.
     *
     * @param singleWord only where no letter, mark, digit or underline is beside it
     * @param lstrip white space in front of it belongs to it
     * @param rstrip white space behind it belongs to it
     * @param normalized it is looked for in the normalised text
     */
    public record AddedToken(boolean singleWord, boolean lstrip, boolean rstrip, boolean normalized) {
        /** Where it stands, as it stands. */
        public static final AddedToken PLAIN = new AddedToken(false, false, false, false);
    }

    /** How texts of tokens are written. */
    public enum Spelling {
        /** Bytes in GPT-2's alphabet. */
        BYTE_ALPHABET,
        /** Text with U+2581 for a space. */
        ESCAPED_SPACES,
        /** Text. */
        TEXT
    }

    /**
     * How tokens become text.
     *
     * @param userDefinedToo texts of user-defined tokens have U+2581 for a space as well
     * @param stripsPrefixSpace the space that a text begins with is not part of it
     */
    public record Decoding(Spelling spelling, boolean userDefinedToo, boolean stripsPrefixSpace) {}

    /**
     * Tokens with a meaning of their own.
     *
     * @param unknown stands for what has no token
     * @param endOfGeneration tokens that end generation, apart from EOS and those known by their text
     * @param prefix put in front when special tokens are asked for: BOS, as a rule
     * @param suffix put behind when special tokens are asked for
     */
    public record Specials(
            OptionalInt bos,
            OptionalInt eos,
            OptionalInt unknown,
            OptionalInt padding,
            Set<Integer> endOfGeneration,
            List<Integer> prefix,
            List<Integer> suffix) {

        /** None at all. */
        public static final Specials NONE = new Specials(
                OptionalInt.empty(), OptionalInt.empty(), OptionalInt.empty(), OptionalInt.empty(), Set.of(), List.of(), List.of());

        private Map<String, Integer> named() {
            Map<String, Integer> named = new LinkedHashMap<>();
            bos.ifPresent(id -> named.put("bos", id));
            eos.ifPresent(id -> named.put("eos", id));
            unknown.ifPresent(id -> named.put("unknown", id));
            padding.ifPresent(id -> named.put("padding", id));
            return named;
        }
    }
}
