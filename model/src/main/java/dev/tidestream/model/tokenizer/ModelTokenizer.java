package dev.tidestream.model.tokenizer;

import java.text.Normalizer.Form;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.IntConsumer;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;

import dev.tidestream.model.tokenizer.normalizer.Normalizer;
import dev.tidestream.model.tokenizer.pretokenizer.Words;

/** The tokenizer that a {@link TokenizerSpec} describes. */
final class ModelTokenizer implements Tokenizer {
    private static final int MOST_SHORTENED = 3; // bytes in UTF-8 for one, by composition

    private final Vocabulary vocabulary;
    private final SpecialTokens specialTokens;
    private final SpecialTokens normalizedTokens; // looked for in the normalised text
    private final TokenizerSpec.Preparation preparation;
    private final Segmenter segmenter;
    private final LeastTokens leastTokens;
    private final OptionalInt bos;
    private final int[] prefix;
    private final int[] suffix;

    ModelTokenizer(TokenizerSpec spec) {
        vocabulary = new Vocabulary(spec);
        preparation = spec.preparation();
        specialTokens = new SpecialTokens(vocabulary, preparation, false, UnaryOperator.identity());
        normalizedTokens = new SpecialTokens(vocabulary, spec.preparation(), true, text -> normalized(spec.preparation(), text));
        OptionalInt unknown = spec.specials().unknown();
        segmenter = switch (spec.algorithm()) {
            case TokenizerSpec.BytePair pairs when pairs.symbols() == TokenizerSpec.Symbols.BYTES ->
                new BytePairSegmenter(vocabulary, pairs.merges(), pairs.ignoresMerges());
            case TokenizerSpec.BytePair pairs -> new CharacterPairSegmenter(vocabulary, pairs, unknown);
            case TokenizerSpec.SentencePiece(float[] scores) -> new SentencePieceSegmenter(vocabulary, scores, unknown);
            case TokenizerSpec.Unigram unigram -> new UnigramSegmenter(vocabulary, unigram, unknown);
        };
        boolean strips = preparation.addedTokens().values().stream().anyMatch(token -> token.lstrip() || token.rstrip());
        leastTokens = new LeastTokens(vocabulary, segmenter instanceof BytePairSegmenter, strips);
        bos = spec.specials().bos();
        prefix = spec.specials().prefix().stream().mapToInt(Integer::intValue).toArray();
        suffix = spec.specials().suffix().stream().mapToInt(Integer::intValue).toArray();
    }

    @Override
    public int vocabularySize() {
        return vocabulary.size();
    }

    @Override
    public int usedTokens() {
        return vocabulary.used();
    }

    @Override
    public int[] encode(String text, boolean addSpecial, boolean parseSpecial) {
        IntStream.Builder ids = IntStream.builder();
        if (addSpecial) {
            IntStream.of(prefix).forEach(ids);
        }
        encode(text, ControlPlaces.of(parseSpecial), ids);
        if (addSpecial) {
            IntStream.of(suffix).forEach(ids);
        }
        return ids.build().toArray();
    }

    @Override
    public int[] encodePrompt(String text, ControlPlaces places) {
        IntStream.Builder ids = IntStream.builder();
        encode(text, places, ids);
        int[] encoded = ids.build().toArray();
        boolean begun = encoded.length >= prefix.length && Arrays.equals(encoded, 0, prefix.length, prefix, 0, prefix.length);
        return begun ? encoded : IntStream.concat(IntStream.of(prefix), IntStream.of(encoded)).toArray();
    }

    private void encode(String text, ControlPlaces places, IntConsumer ids) {
        String repaired = Utf8.repair(text);
        for (SpecialTokens.Part part : specialTokens.split(repaired, places)) {
            if (part.token() == SpecialTokens.Part.TEXT) {
                encodeText(repaired.substring(part.start(), part.end()), part.start() == 0, places.from(part.start()), ids);
            } else {
                ids.accept(part.token());
            }
        }
    }

    private void encodeText(String text, boolean atStart, ControlPlaces places, IntConsumer ids) {
        String normalized = normalized(preparation, text);
        if (normalizedTokens.isEmpty()) {
            encodeWords(normalized, atStart, ids);
            return;
        }
        ControlPlaces moved = NormalizedPlaces.of(places, text, normalized, changed -> normalized(preparation, changed));
        for (SpecialTokens.Part part : normalizedTokens.split(normalized, moved)) {
            if (part.token() == SpecialTokens.Part.TEXT) {
                encodeWords(normalized.substring(part.start(), part.end()), atStart && part.start() == 0, ids);
            } else {
                ids.accept(part.token());
            }
        }
    }

    private void encodeWords(String text, boolean atStart, IntConsumer ids) {
        Words words = preparation.preTokenizer().words(text, atStart);
        for (int i = 0; i < words.count(); i++) {
            segmenter.encode(words.word(i), ids);
        }
    }

    private static String normalized(TokenizerSpec.Preparation preparation, String text) {
        String normalized = text;
        for (Normalizer normalizer : preparation.normalizers()) {
            normalized = normalizer.apply(normalized);
        }
        return normalized;
    }

    @Override
    public boolean isControl(int id) {
        return id >= 0 && id < vocabulary.size() && vocabulary.type(id).isSpecial();
    }

    @Override
    public List<ControlToken> controlTokens(String text) {
        return specialTokens.split(text, ControlPlaces.EVERYWHERE).stream()
                .filter(part -> part.token() != SpecialTokens.Part.TEXT && isControl(part.token()))
                .map(part -> new ControlToken(part.start(), part.end(), part.token()))
                .toList();
    }

    @Override
    public long leastTokens(String text) {
        if (preparation.preTokenizer().removes()) {
            return 0;
        }
        boolean composes = false;
        for (Normalizer normalizer : preparation.normalizers()) {
            switch (normalizer) {
                case Normalizer.Prepend _ -> { }
                case Normalizer.ReplaceText(String wanted, String content) when wanted.equals(" ") && content.equals("▁") -> { }
                case Normalizer.Form(var form) when form == Form.NFC || form == Form.NFD -> composes = true;
                default -> {
                    return 0; // may leave out anything
                }
            }
        }
        boolean changes = composes && text.chars().anyMatch(c -> c >= 0x80);
        return changes ? leastTokens.ofShortened(text, MOST_SHORTENED) : leastTokens.of(text);
    }

    @Override
    public byte[] tokenBytes(int id) {
        return vocabulary.bytes(id);
    }

    @Override
    public String tokenText(int id) {
        return isControl(id) ? vocabulary.text(id) : Tokenizer.super.tokenText(id);
    }

    @Override
    public String decode(int[] ids) {
        IncrementalDetokenizer detokenizer = new Utf8Detokenizer(vocabulary, true);
        StringBuilder text = new StringBuilder();
        for (int id : ids) {
            text.append(detokenizer.append(id));
        }
        return text.append(detokenizer.flush()).toString();
    }

    @Override
    public IncrementalDetokenizer newDetokenizer() {
        return new Utf8Detokenizer(vocabulary, false);
    }

    @Override
    public IncrementalDetokenizer newDetokenizer(int[] prompt) {
        boolean noText = IntStream.of(prompt).allMatch(id -> vocabulary.bytes(id).length == 0);
        return new Utf8Detokenizer(vocabulary, noText);
    }

    @Override
    public OptionalInt bosToken() {
        return bos;
    }

    @Override
    public boolean isEndOfGeneration(int id) {
        return vocabulary.isEndOfGeneration(id);
    }
}
