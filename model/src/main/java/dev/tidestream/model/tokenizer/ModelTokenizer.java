package dev.tidestream.model.tokenizer;

import java.util.List;
import java.util.OptionalInt;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;

/** The tokenizer that a {@link TokenizerSpec} describes. */
final class ModelTokenizer implements Tokenizer {
    private final Vocabulary vocabulary;
    private final SpecialTokens specialTokens;
    private final Segmenter segmenter;
    private final OptionalInt bos;
    private final OptionalInt addedBos;
    private final OptionalInt addedEos;

    ModelTokenizer(TokenizerSpec spec) {
        vocabulary = new Vocabulary(spec);
        specialTokens = new SpecialTokens(vocabulary);
        segmenter = switch (spec.algorithm()) {
            case TokenizerSpec.BytePair(PreTokenizer preTokenizer, var merges) ->
                new BytePairSegmenter(vocabulary, preTokenizer, merges);
            case TokenizerSpec.SentencePiece(boolean addSpacePrefix) ->
                new SentencePieceSegmenter(vocabulary, spec.scores(), spec.unknown(), addSpacePrefix);
        };
        bos = spec.bos();
        addedBos = spec.addBos() ? spec.bos() : OptionalInt.empty();
        addedEos = spec.addEos() ? spec.eos() : OptionalInt.empty();
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
            addedBos.ifPresent(ids);
        }
        encode(text, parseSpecial, ids);
        if (addSpecial) {
            addedEos.ifPresent(ids);
        }
        return ids.build().toArray();
    }

    @Override
    public int[] encodePrompt(String text, boolean parseSpecial) {
        IntStream.Builder ids = IntStream.builder();
        encode(text, parseSpecial, ids);
        int[] encoded = ids.build().toArray();
        if (addedBos.isEmpty() || (encoded.length > 0 && encoded[0] == addedBos.getAsInt())) {
            return encoded;
        }
        return IntStream.concat(IntStream.of(addedBos.getAsInt()), IntStream.of(encoded)).toArray();
    }

    private void encode(String text, boolean parseSpecial, IntConsumer ids) {
        String repaired = Utf8.repair(text);
        boolean first = true;
        for (SpecialTokens.Part part : specialTokens.split(repaired, parseSpecial)) {
            if (part.token() == SpecialTokens.Part.TEXT) {
                segmenter.encode(repaired.substring(part.start(), part.end()), first, ids);
                first = false;
            } else {
                ids.accept(part.token());
                first = true;
            }
        }
    }

    @Override
    public boolean isControl(int id) {
        return id >= 0 && id < vocabulary.size() && vocabulary.type(id).isSpecial();
    }

    @Override
    public List<ControlToken> controlTokens(String text) {
        return specialTokens.split(text, true).stream()
                .filter(part -> part.token() != SpecialTokens.Part.TEXT && isControl(part.token()))
                .map(part -> new ControlToken(part.start(), part.end(), part.token()))
                .toList();
    }

    @Override
    public byte[] tokenBytes(int id) {
        return vocabulary.bytes(id);
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
