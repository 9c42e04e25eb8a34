package dev.tidestream.model.tokenizer.gguf;

import java.text.Normalizer.Form;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.SequencedMap;
import java.util.function.Consumer;
import java.util.function.Predicate;

import dev.tidestream.model.gguf.GgufException;
import dev.tidestream.model.gguf.GgufValue;
import dev.tidestream.model.gguf.GgufValueType;
import dev.tidestream.model.tokenizer.TokenType;
import dev.tidestream.model.tokenizer.TokenizerException;
import dev.tidestream.model.tokenizer.TokenizerSpec;
import dev.tidestream.model.tokenizer.TokenizerSpec.AddedToken;
import dev.tidestream.model.tokenizer.TokenizerSpec.Merge;
import dev.tidestream.model.tokenizer.TokenizerSpec.Spelling;
import dev.tidestream.model.tokenizer.TokenizerSpec.Symbols;
import dev.tidestream.model.tokenizer.normalizer.Normalizer;
import dev.tidestream.model.tokenizer.pretokenizer.NamedPreTokenizer;
import dev.tidestream.model.tokenizer.pretokenizer.Step;

/**
 * A tokenizer as metadata of a GGUF file, under the keys that llama.cpp's converter writes. What GGUF cannot say is refused by name, but for
 * these, which every converter leaves out: that added tokens are looked for in normalised text, where normalising does not change them; and
 * composition (NFC) of the families whose pre-tokenizer implies it.
 *
 * <p>BPE over characters becomes SentencePiece's: the score of a token is the rank of its first merge, below 0. That merges in the same
 * order; pairs that are no merge and yet spell a token, which SentencePiece joins as well, have the lowest score of all, and do not occur in
 * vocabularies that come from it.
 *
 * <p>What only this program's reader knows is written under {@code tidestream.tokenizer.*}, with a warning: which added tokens take white
 * space or stand alone, and that byte tokens are no fallback. That a model has no BOS, EOS or unknown token is written as the id 0xFFFFFFFF
 * where a missing key means some id.
 */
public final class GgufTokenizerWriter {
    private static final String PREFIX = GgufTokenizer.PREFIX;
    private static final String SPACE = String.valueOf(TokenizerSpec.ESCAPED_SPACE);

    private final TokenizerSpec spec;
    private final Consumer<String> warnings;
    private final SequencedMap<String, GgufValue> metadata = new LinkedHashMap<>();

    private GgufTokenizerWriter(TokenizerSpec spec, Consumer<String> warnings) {
        this.spec = spec;
        this.warnings = warnings;
    }

    /**
     * The metadata, in the order in which the converter writes them.
     *
     * @param warnings gets what other programs will not know of this tokenizer
     * @throws TokenizerException if the tokenizer has what GGUF has no key for
     */
    public static SequencedMap<String, GgufValue> metadata(TokenizerSpec spec, Consumer<String> warnings) {
        GgufTokenizerWriter writer = new GgufTokenizerWriter(spec, warnings);
        writer.write();
        return writer.metadata;
    }

    private void write() {
        spec.preparation().addedTokens().forEach(this::requireFindable);
        switch (spec.algorithm()) {
            case TokenizerSpec.BytePair pairs when pairs.symbols() == Symbols.BYTES -> bytePair(pairs);
            case TokenizerSpec.BytePair pairs -> sentencePiece(scores(pairs.merges()));
            case TokenizerSpec.SentencePiece(float[] scores) -> sentencePiece(scores);
            case TokenizerSpec.Unigram unigram -> unigram(unigram);
        }
        ids();
        rules(GgufTokenizer.SINGLE_WORD, "stand alone only", AddedToken::singleWord);
        rules(GgufTokenizer.LSTRIP, "take white space in front of them", AddedToken::lstrip);
        rules(GgufTokenizer.RSTRIP, "take white space behind them", AddedToken::rstrip);
    }

    /** Writes which added tokens have a rule that GGUF has no key for. */
    private void rules(String key, String what, Predicate<AddedToken> rule) {
        int[] ids = spec.preparation().addedTokens().entrySet().stream()
                .filter(token -> rule.test(token.getValue()))
                .mapToInt(Map.Entry::getKey)
                .sorted()
                .toArray();
        if (ids.length > 0) {
            metadata.put(key, GgufValue.ArrayValue.ofInts(ids));
            onlyHere("%d added tokens %s, '%s' among them".formatted(ids.length, what, GgufException.quote(spec.tokens().get(ids[0]))));
        }
    }

    private void onlyHere(String what) {
        warnings.accept("GGUF has no key for this of the tokenizer, and programs other than this one do without: " + what);
    }

    private static TokenizerException cannotSay(String what) {
        return new TokenizerException("a GGUF file cannot say this of a tokenizer: " + what);
    }

    private void requireFindable(int id, AddedToken token) {
        String text = spec.tokens().get(id);
        for (Normalizer normalizer : spec.preparation().normalizers()) {
            boolean always = normalizer instanceof Normalizer.Prepend;
            if (token.normalized() && !always && !normalizer.apply(text).equals(text)) {
                throw cannotSay("added token %d is looked for in normalised text, and changes: %s".formatted(id, token));
            }
        }
    }

    private void bytePair(TokenizerSpec.BytePair pairs) {
        if (pairs.byteFallback() && spec.types().contains(TokenType.BYTE)) {
            throw cannotSay("byte fallback of byte-level BPE");
        }
        List<Normalizer> normalizers = spec.preparation().normalizers();
        boolean composes = normalizers.equals(List.of(new Normalizer.Form(Form.NFC)));
        if (!composes && !normalizers.isEmpty()) {
            throw cannotSay("normalizers of byte-level BPE: " + normalizers);
        }
        List<Step> steps = spec.preparation().preTokenizer().steps();
        List<NamedPreTokenizer> alike = NamedPreTokenizer.cuttingLike(steps);
        NamedPreTokenizer named = alike.stream()
                .filter(each -> each.ignoresMerges() == pairs.ignoresMerges() && each.composes() == composes)
                .findFirst()
                .orElseThrow(() -> cannotSay("pre-tokenizer with ignore_merges=%s, NFC=%s: %s; named ones that cut like it: %s"
                        .formatted(pairs.ignoresMerges(), composes, steps, alike.stream().map(NamedPreTokenizer::names).toList())));
        text("model", "gpt2");
        text("pre", named.names().getFirst());
        tokens();
        List<String> lines = new ArrayList<>(pairs.merges().size());
        for (Merge merge : pairs.merges()) {
            if (merge.left().contains(" ") || merge.right().contains(" ")) {
                throw cannotSay("a merge of tokens with spaces: " + merge);
            }
            lines.add(merge.left() + " " + merge.right());
        }
        metadata.put(GgufTokenizer.MERGES, GgufValue.ArrayValue.ofStrings(lines));
    }

    /** By first merge that makes a token; the lowest for those that none makes. */
    private float[] scores(List<Merge> merges) {
        Map<String, Integer> ranks = new HashMap<>();
        for (int rank = 0; rank < merges.size(); rank++) {
            ranks.putIfAbsent(merges.get(rank).left() + merges.get(rank).right(), rank);
        }
        float[] scores = new float[spec.tokens().size()];
        for (int id = 0; id < scores.length; id++) {
            Integer rank = ranks.get(spec.tokens().get(id));
            scores[id] = -1f - (rank == null ? merges.size() : rank);
        }
        return scores;
    }

    private void sentencePiece(float[] scores) {
        boolean prefix = prefixOfPieces();
        text("model", "llama");
        text("pre", "default");
        tokens();
        metadata.put(GgufTokenizer.SCORES, GgufValue.ArrayValue.ofFloats(scores));
        bool("add_space_prefix", prefix);
    }

    /** Whether a space is put in front; refuses all else that would happen to a text. */
    private boolean prefixOfPieces() {
        boolean[] prefixAndEscaped = new boolean[2];
        spec.preparation().normalizers().forEach(normalizer -> {
            switch (normalizer) {
                case Normalizer.Prepend(String content) when content.equals(SPACE) -> prefixAndEscaped[0] = true;
                case Normalizer.ReplaceText(String wanted, String content) when wanted.equals(" ") && content.equals(SPACE) ->
                    prefixAndEscaped[1] = true;
                default -> throw cannotSay("normalizer of SentencePiece BPE: " + normalizer);
            }
        });
        for (Step step : spec.preparation().preTokenizer().steps()) {
            switch (step) {
                case Step.Metaspace(String replacement, Step.Prefix where, boolean split) when replacement.equals(SPACE) && !split -> {
                    prefixAndEscaped[0] |= where != Step.Prefix.NOWHERE;
                    prefixAndEscaped[1] = true;
                }
                case Step.Split split when isSpace(split) && prefixAndEscaped[1] -> { } // there are none any more
                default -> throw cannotSay("pre-tokenizer of SentencePiece BPE: " + step);
            }
        }
        if (!prefixAndEscaped[1]) {
            throw cannotSay("SentencePiece BPE with spaces as they are");
        }
        return prefixAndEscaped[0];
    }

    private static boolean isSpace(Step.Split split) {
        return split.pattern().expression().equals("\\ ") && !split.inverted();
    }

    private void unigram(TokenizerSpec.Unigram unigram) {
        boolean removes = false;
        boolean prefix = false;
        byte[] map = {};
        for (Normalizer normalizer : spec.preparation().normalizers()) {
            switch (normalizer) {
                case Normalizer.Precompiled(var charsMap) -> map = charsMap.bytes();
                case Normalizer.Replace replace when replace.pattern().expression().equals(" {2,}") -> removes = true;
                case Normalizer.Replace replace when replace.pattern().expression().equals("\\A +| +\\z") -> removes = true;
                case Normalizer.Prepend(String content) when content.equals(SPACE) -> prefix = true;
                case Normalizer.ReplaceText(String wanted, String content) when wanted.equals(" ") && content.equals(SPACE) -> { }
                default -> throw cannotSay("normalizer of a unigram model: " + normalizer);
            }
        }
        for (Step step : spec.preparation().preTokenizer().steps()) {
            switch (step) {
                case Step.Metaspace(String replacement, Step.Prefix where, boolean _) when replacement.equals(SPACE) ->
                    prefix |= where != Step.Prefix.NOWHERE;
                case Step.Split split when split.pattern().expression().equals("\\s") -> removes = true; // words alone
                default -> throw cannotSay("pre-tokenizer of a unigram model: " + step);
            }
        }
        text("model", "t5");
        text("pre", "default");
        tokens();
        metadata.put(GgufTokenizer.SCORES, GgufValue.ArrayValue.ofFloats(unigram.scores()));
        bool("add_space_prefix", prefix);
        bool("remove_extra_whitespaces", removes);
        if (!unigram.byteFallback() && spec.types().contains(TokenType.BYTE)) {
            metadata.put(GgufTokenizer.BYTE_FALLBACK, new GgufValue.BoolValue(false));
            onlyHere("characters without a token do not become byte tokens");
        }
        if (map.length > 0) {
            metadata.put(GgufTokenizer.CHARS_MAP, GgufValue.ArrayValue.ofBytes(map));
        }
    }

    private void tokens() {
        boolean escaped = spec.decoding().spelling() == Spelling.ESCAPED_SPACES;
        List<String> texts = new ArrayList<>(spec.tokens());
        for (int id = 0; id < texts.size(); id++) {
            if (escaped && spec.types().get(id) == TokenType.USER_DEFINED) {
                texts.set(id, texts.get(id).replace(SPACE, " "));
            }
        }
        metadata.put(GgufTokenizer.TOKENS, GgufValue.ArrayValue.ofStrings(texts));
        int[] types = new int[texts.size()];
        Arrays.setAll(types, id -> spec.types().get(id).number());
        metadata.put(GgufTokenizer.TYPES, GgufValue.ArrayValue.ofInts(types));
    }

    private void ids() {
        TokenizerSpec.Specials specials = spec.specials();
        boolean bytes = spec.algorithm() instanceof TokenizerSpec.BytePair pairs && pairs.symbols() == Symbols.BYTES;
        boolean unigram = spec.algorithm() instanceof TokenizerSpec.Unigram;
        id("bos", specials.bos(), !bytes && !unigram);
        id("eos", specials.eos(), !bytes);
        id("unknown", specials.unknown(), !bytes);
        id("padding", specials.padding(), false);
        bool("add_bos_token", added("in front", specials.prefix(), specials.bos()));
        bool("add_eos_token", added("behind", specials.suffix(), specials.eos()));
        List<Integer> ends = specials.endOfGeneration().stream()
                .filter(id -> specials.eos().isEmpty() || id != specials.eos().getAsInt())
                .filter(id -> !TokenizerSpec.isEndText(spec.tokens().get(id)))
                .sorted()
                .toList();
        if (ends.size() > 2) {
            throw cannotSay("more than two tokens that end generation beside EOS: " + ends);
        }
        id("eot", ends.isEmpty() ? OptionalInt.empty() : OptionalInt.of(ends.getFirst()), false);
        id("eom", ends.size() < 2 ? OptionalInt.empty() : OptionalInt.of(ends.getLast()), false);
    }

    private static boolean added(String place, List<Integer> tokens, OptionalInt only) {
        if (!tokens.isEmpty() && !(only.isPresent() && tokens.equals(List.of(only.getAsInt())))) {
            throw cannotSay("tokens put %s of a text: %s".formatted(place, tokens));
        }
        return !tokens.isEmpty();
    }

    /** @param assumed where there is no key, a reader assumes some id */
    private void id(String name, OptionalInt id, boolean assumed) {
        if (id.isPresent() || assumed) {
            long value = id.isPresent() ? id.getAsInt() : GgufTokenizer.NO_TOKEN;
            metadata.put(PREFIX + name + "_token_id", new GgufValue.IntegerValue(GgufValueType.U32, value));
        }
    }

    private void text(String name, String value) {
        metadata.put(PREFIX + name, new GgufValue.StringValue(value));
    }

    private void bool(String name, boolean value) {
        metadata.put(PREFIX + name, new GgufValue.BoolValue(value));
    }
}
