package dev.tidestream.model.tokenizer;

import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;

import dev.tidestream.model.gguf.GgufException;
import dev.tidestream.model.gguf.GgufMetadata;

/** Makes tokenizers from the metadata of model files ({@code tokenizer.ggml.*}, with llama.cpp's defaults). */
public final class Tokenizers {
    private static final String PREFIX = "tokenizer.ggml.";
    private static final String TOKENS = PREFIX + "tokens";
    private static final String SCORES = PREFIX + "scores";
    private static final String TYPES = PREFIX + "token_type";

    /** What some converters write where a model has no such token. */
    private static final long NO_TOKEN = 0xffff_ffffL;

    /** Ids that llama.cpp assumes for SentencePiece models that do not name them. */
    private static final int SENTENCE_PIECE_UNKNOWN = 0;
    private static final int SENTENCE_PIECE_BOS = 1;
    private static final int SENTENCE_PIECE_EOS = 2;

    private final GgufMetadata metadata;
    private final List<String> tokens;

    private Tokenizers(GgufMetadata metadata) {
        this.metadata = metadata;
        this.tokens = metadata.strings(TOKENS);
    }

    /**
     * The tokenizer of a model file. Keeps nothing of the metadata.
     *
     * @throws TokenizerException if the kind of tokenizer is not supported or its data contradict themselves
     * @throws GgufException if a key is missing or has another type
     */
    public static Tokenizer fromGguf(GgufMetadata metadata) {
        String model = metadata.string(PREFIX + "model");
        return switch (model) {
            case "gpt2" -> new ModelTokenizer(new Tokenizers(metadata).bytePair());
            case "llama" -> new ModelTokenizer(new Tokenizers(metadata).sentencePiece());
            default -> throw new TokenizerException(
                    PREFIX + "model: unsupported tokenizer: '%s', supported: gpt2, llama".formatted(GgufException.quote(model)));
        };
    }

    private TokenizerSpec bytePair() {
        PreTokenizer preTokenizer = PreTokenizer.named(metadata.findString(PREFIX + "pre").orElse(null));
        var algorithm = new TokenizerSpec.BytePair(preTokenizer, metadata.strings(PREFIX + "merges"));
        return spec(algorithm, new float[0], id("bos"), id("eos"), id("unknown"), preTokenizer.addsBosByDefault());
    }

    private TokenizerSpec sentencePiece() {
        float[] scores = metadata.floats(SCORES);
        checkCount(SCORES, scores.length);
        for (int id = 0; id < scores.length; id++) {
            if (Float.isNaN(scores[id])) {
                throw new TokenizerException(SCORES + "[%d]: not a number".formatted(id));
            }
        }
        var algorithm = new TokenizerSpec.SentencePiece(metadata.findBool(PREFIX + "add_space_prefix").orElse(true));
        return spec(
                algorithm,
                scores,
                orDefault(id("bos"), SENTENCE_PIECE_BOS),
                orDefault(id("eos"), SENTENCE_PIECE_EOS),
                orDefault(id("unknown"), SENTENCE_PIECE_UNKNOWN),
                true);
    }

    private TokenizerSpec spec(
            TokenizerSpec.Algorithm algorithm,
            float[] scores,
            OptionalInt bos,
            OptionalInt eos,
            OptionalInt unknown,
            boolean addsBosByDefault) {
        if (tokens.isEmpty()) {
            throw new TokenizerException(TOKENS + ": the vocabulary is empty");
        }
        boolean addBos = added("bos", bos, addsBosByDefault);
        boolean addEos = added("eos", eos, false);
        return new TokenizerSpec(algorithm, tokens, scores, types(), bos, eos, unknown, ends(), addBos, addEos);
    }

    private boolean added(String name, OptionalInt id, boolean byDefault) {
        String key = PREFIX + "add_" + name + "_token";
        boolean asked = metadata.findBool(key).orElse(false);
        if (asked && id.isEmpty()) {
            throw new TokenizerException(key + ": true, but " + PREFIX + name + "_token_id is missing");
        }
        return metadata.findBool(key).orElse(byDefault) && id.isPresent();
    }

    private Set<Integer> ends() {
        Set<Integer> ends = new HashSet<>();
        id("eot").ifPresent(ends::add);
        id("eom").ifPresent(ends::add);
        return Set.copyOf(ends);
    }

    private TokenType[] types() {
        TokenType[] types = new TokenType[tokens.size()];
        int[] numbers = metadata.findInts(TYPES).orElse(null);
        if (numbers == null) {
            Arrays.fill(types, TokenType.NORMAL);
            return types;
        }
        checkCount(TYPES, numbers.length);
        Arrays.setAll(types, id -> TokenType.of(numbers[id]));
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

    private OptionalInt orDefault(OptionalInt id, int assumed) {
        return id.isPresent() || assumed >= tokens.size() ? id : OptionalInt.of(assumed);
    }
}
