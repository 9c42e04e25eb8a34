package dev.tidestream.model.tokenizer.gguf;

import java.util.AbstractList;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.RandomAccess;
import java.util.Set;
import java.util.stream.Stream;

import dev.tidestream.model.gguf.GgufException;
import dev.tidestream.model.gguf.GgufMetadata;
import dev.tidestream.model.tokenizer.TokenType;
import dev.tidestream.model.tokenizer.Tokenizer;
import dev.tidestream.model.tokenizer.TokenizerException;
import dev.tidestream.model.tokenizer.TokenizerSpec;
import dev.tidestream.model.tokenizer.TokenizerSpec.AddedToken;
import dev.tidestream.model.tokenizer.TokenizerSpec.Algorithm;
import dev.tidestream.model.tokenizer.TokenizerSpec.Decoding;
import dev.tidestream.model.tokenizer.TokenizerSpec.Merge;
import dev.tidestream.model.tokenizer.TokenizerSpec.Preparation;
import dev.tidestream.model.tokenizer.TokenizerSpec.Specials;
import dev.tidestream.model.tokenizer.TokenizerSpec.Spelling;
import dev.tidestream.model.tokenizer.TokenizerSpec.Symbols;
import dev.tidestream.model.tokenizer.Tokenizers;
import dev.tidestream.model.tokenizer.normalizer.CharsMap;
import dev.tidestream.model.tokenizer.normalizer.Normalizer;
import dev.tidestream.model.tokenizer.pretokenizer.NamedPreTokenizer;
import dev.tidestream.model.tokenizer.pretokenizer.PreTokenizer;
import dev.tidestream.model.tokenizer.pretokenizer.Step;
import dev.tidestream.model.tokenizer.regex.Regex;

/** Reads {@code tokenizer.ggml.*} of a file's metadata, with llama.cpp's defaults. */
public final class GgufTokenizer {
    static final String PREFIX = "tokenizer.ggml.";
    static final String TOKENS = PREFIX + "tokens";
    static final String SCORES = PREFIX + "scores";
    static final String TYPES = PREFIX + "token_type";
    static final String MERGES = PREFIX + "merges";
    static final String CHARS_MAP = PREFIX + "precompiled_charsmap";

    /** Keys of our own, for what GGUF has none: ids of added tokens, and whether byte tokens are a fallback. */
    static final String SINGLE_WORD = "tidestream.tokenizer.single_word";
    static final String LSTRIP = "tidestream.tokenizer.lstrip";
    static final String RSTRIP = "tidestream.tokenizer.rstrip";
    static final String BYTE_FALLBACK = "tidestream.tokenizer.byte_fallback";
    private static final String SPACE = String.valueOf(TokenizerSpec.ESCAPED_SPACE);

    /** What some converters write where a model has no such token. */
    static final long NO_TOKEN = 0xffff_ffffL;

    /** Ids that llama.cpp assumes for models that do not name them. */
    private static final int SENTENCE_PIECE_UNKNOWN = 0;
    private static final int SENTENCE_PIECE_BOS = 1;
    private static final int SENTENCE_PIECE_EOS = 2;
    private static final int UNIGRAM_EOS = 1;
    private static final int UNIGRAM_UNKNOWN = 2;

    private final GgufMetadata metadata;
    private final List<String> tokens;

    private GgufTokenizer(GgufMetadata metadata) {
        this.metadata = metadata;
        this.tokens = metadata.strings(TOKENS);
    }

    /**
     * The tokenizer of a model file. Keeps nothing of the metadata.
     *
     * @throws TokenizerException if the kind of tokenizer is not supported or its data contradict themselves
     * @throws GgufException if a key is missing or has another type
     */
    public static Tokenizer tokenizer(GgufMetadata metadata) {
        return Tokenizers.of(read(metadata));
    }

    /**
     * What the metadata say. Keeps nothing of them.
     *
     * @throws TokenizerException if the kind of tokenizer is not supported or its data contradict themselves
     * @throws GgufException if a key is missing or has another type
     */
    public static TokenizerSpec read(GgufMetadata metadata) {
        String model = metadata.string(PREFIX + "model");
        return switch (model) {
            case "gpt2" -> new GgufTokenizer(metadata).bytePair();
            case "llama" -> new GgufTokenizer(metadata).sentencePiece();
            case "t5" -> new GgufTokenizer(metadata).unigram();
            default -> throw new TokenizerException(
                    PREFIX + "model: unsupported tokenizer: '%s', supported: gpt2, llama, t5".formatted(GgufException.quote(model)));
        };
    }

    /**
     * How many token ids of a model file stand for something, see {@link Tokenizer#usedTokens}; also if its kind of tokenizer
     * is not known. None if it has no tokens.
     *
     * @throws GgufException if a key has another type
     */
    public static OptionalInt usedTokens(GgufMetadata metadata) {
        if (!metadata.contains(TOKENS)) {
            return OptionalInt.empty();
        }
        GgufTokenizer tokenizer = new GgufTokenizer(metadata);
        return OptionalInt.of(TokenizerSpec.usedTokens(tokenizer.tokens, tokenizer.types()));
    }

    private TokenizerSpec bytePair() {
        String name = metadata.findString(PREFIX + "pre").orElse("default");
        NamedPreTokenizer named = NamedPreTokenizer.named(name).orElseThrow(() -> new TokenizerException(
                PREFIX + "pre: unknown pre-tokenizer: '%s', known: %s".formatted(GgufException.quote(name), NamedPreTokenizer.allNames())));
        List<Normalizer> normalizers = named.composes()
                ? List.of(new Normalizer.Form(java.text.Normalizer.Form.NFC))
                : List.of();
        requireTokens();
        return spec(
                new TokenizerSpec.BytePair(Symbols.BYTES, merges(), named.ignoresMerges(), false, false),
                preparation(normalizers, named.preTokenizer()),
                new Decoding(Spelling.BYTE_ALPHABET, false, false),
                specials(id("bos"), id("eos"), id("unknown"), named.addsBos(), false));
    }

    /** {@code "left right"} as pairs, read when they are asked for. */
    private List<Merge> merges() {
        List<String> lines = metadata.strings(MERGES);
        return new MergeLines(lines);
    }

    private static final class MergeLines extends AbstractList<Merge> implements RandomAccess {
        private final List<String> lines;

        MergeLines(List<String> lines) {
            this.lines = lines;
        }

        @Override
        public Merge get(int rank) {
            String line = lines.get(rank);
            int space = line.indexOf(' ', 1);
            if (space < 0) {
                throw new TokenizerException(MERGES + "[%d]: expected 'left right': '%s'".formatted(rank, GgufException.quote(line)));
            }
            return new Merge(line.substring(0, space), line.substring(space + 1));
        }

        @Override
        public int size() {
            return lines.size();
        }
    }

    private TokenizerSpec sentencePiece() {
        boolean spacePrefix = metadata.findBool(PREFIX + "add_space_prefix").orElse(true);
        List<Normalizer> normalizers = new ArrayList<>();
        if (spacePrefix) {
            normalizers.add(new Normalizer.Prepend(SPACE));
        }
        normalizers.add(new Normalizer.ReplaceText(" ", SPACE));
        Algorithm algorithm = new TokenizerSpec.SentencePiece(scores());
        requireTokens();
        return spec(
                algorithm,
                preparation(normalizers, PreTokenizer.NONE),
                new Decoding(Spelling.ESCAPED_SPACES, false, spacePrefix),
                specials(
                        orDefault("bos", SENTENCE_PIECE_BOS),
                        orDefault("eos", SENTENCE_PIECE_EOS),
                        orDefault("unknown", SENTENCE_PIECE_UNKNOWN),
                        true,
                        false));
    }

    private TokenizerSpec unigram() {
        boolean spacePrefix = metadata.findBool(PREFIX + "add_space_prefix").orElse(true);
        List<Normalizer> normalizers = new ArrayList<>();
        metadata.findInts(CHARS_MAP).ifPresent(numbers -> normalizers.add(new Normalizer.Precompiled(charsMap(numbers))));
        if (metadata.findBool(PREFIX + "remove_extra_whitespaces").orElse(false)) {
            normalizers.add(new Normalizer.Replace(Regex.compile(" {2,}"), " "));
            normalizers.add(new Normalizer.Replace(Regex.compile("\\A +| +\\z"), ""));
        }
        Step metaspace = new Step.Metaspace(SPACE, spacePrefix ? Step.Prefix.EVERYWHERE : Step.Prefix.NOWHERE, false);
        Algorithm algorithm = new TokenizerSpec.Unigram(scores(), metadata.findBool(BYTE_FALLBACK).orElse(true));
        requireTokens();
        return spec(
                algorithm,
                preparation(normalizers, new PreTokenizer(List.of(metaspace))),
                new Decoding(Spelling.ESCAPED_SPACES, false, spacePrefix),
                specials(id("bos"), orDefault("eos", UNIGRAM_EOS), orDefault("unknown", UNIGRAM_UNKNOWN), false, true));
    }

    private static CharsMap charsMap(int[] numbers) {
        byte[] bytes = new byte[numbers.length];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) numbers[i];
        }
        try {
            return CharsMap.of(bytes);
        } catch (IllegalArgumentException e) {
            throw new TokenizerException(PREFIX + e.getMessage());
        }
    }

    private TokenizerSpec spec(Algorithm algorithm, Preparation preparation, Decoding decoding, Specials specials) {
        return new TokenizerSpec(algorithm, tokens, types(), preparation, decoding, specials);
    }

    private void requireTokens() {
        if (tokens.isEmpty()) {
            throw new TokenizerException(TOKENS + ": the vocabulary is empty");
        }
    }

    private float[] scores() {
        float[] scores = metadata.floats(SCORES);
        checkCount(SCORES, scores.length);
        for (int id = 0; id < scores.length; id++) {
            if (Float.isNaN(scores[id])) {
                throw new TokenizerException(SCORES + "[%d]: not a number".formatted(id));
            }
        }
        return scores;
    }

    private Specials specials(
            OptionalInt bos, OptionalInt eos, OptionalInt unknown, boolean addsBosByDefault, boolean addsEosByDefault) {
        Set<Integer> ends = new HashSet<>();
        id("eot").ifPresent(ends::add);
        id("eom").ifPresent(ends::add);
        return new Specials(bos, eos, unknown, id("padding"), Set.copyOf(ends),
                added("bos", bos, addsBosByDefault), added("eos", eos, addsEosByDefault));
    }

    private List<Integer> added(String name, OptionalInt id, boolean byDefault) {
        String key = PREFIX + "add_" + name + "_token";
        boolean asked = metadata.findBool(key).orElse(false);
        if (asked && id.isEmpty()) {
            throw new TokenizerException(key + ": true, but " + PREFIX + name + "_token_id is missing");
        }
        return metadata.findBool(key).orElse(byDefault) && id.isPresent() ? List.of(id.getAsInt()) : List.of();
    }

    private List<TokenType> types() {
        int[] numbers = metadata.findInts(TYPES).orElse(null);
        if (numbers == null) {
            return Collections.nCopies(tokens.size(), TokenType.NORMAL);
        }
        checkCount(TYPES, numbers.length);
        List<TokenType> types = new ArrayList<>(numbers.length);
        for (int number : numbers) {
            types.add(TokenType.of(number));
        }
        return types;
    }

    private void checkCount(String key, int count) {
        if (count != tokens.size()) {
            throw new TokenizerException(key + ": one per token expected: count=%d, tokens=%d".formatted(count, tokens.size()));
        }
    }

    private OptionalInt id(String name) {
        String key = PREFIX + name + "_token_id";
        OptionalLong id = metadata.findU32(key);
        if (id.isPresent() && id.getAsLong() == NO_TOKEN) {
            return OptionalInt.empty();
        }
        if (id.isPresent() && id.getAsLong() >= tokens.size()) {
            throw new TokenizerException(key + ": not in the vocabulary: id=%d, tokens=%d".formatted(id.getAsLong(), tokens.size()));
        }
        return id.isPresent() ? OptionalInt.of((int) id.getAsLong()) : OptionalInt.empty();
    }

    /** The id that a key says, which may be that there is none; without a key the one that is assumed. */
    private OptionalInt orDefault(String name, int assumed) {
        return metadata.contains(PREFIX + name + "_token_id") || assumed >= tokens.size() ? id(name) : OptionalInt.of(assumed);
    }

    /** Where a file has rules for added tokens, which are ours and a folder's, they are found as in a folder. */
    private Preparation preparation(List<Normalizer> normalizers, PreTokenizer preTokenizer) {
        Set<Integer> alone = added(SINGLE_WORD);
        Set<Integer> left = added(LSTRIP);
        Set<Integer> right = added(RSTRIP);
        Map<Integer, AddedToken> rules = new HashMap<>();
        Stream.of(alone, left, right).flatMap(Set::stream).forEach(id ->
                rules.put(id, new AddedToken(alone.contains(id), left.contains(id), right.contains(id), false)));
        return new Preparation(normalizers, preTokenizer, !rules.isEmpty(), Map.copyOf(rules));
    }

    private Set<Integer> added(String key) {
        Set<Integer> ids = new HashSet<>();
        for (int id : metadata.findInts(key).orElse(new int[0])) {
            if (id < 0 || id >= tokens.size()) {
                throw new TokenizerException(key + ": not in the vocabulary: id=%d, tokens=%d".formatted(id, tokens.size()));
            }
            ids.add(id);
        }
        return ids;
    }
}
