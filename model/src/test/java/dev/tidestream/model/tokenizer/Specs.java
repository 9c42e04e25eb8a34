package dev.tidestream.model.tokenizer;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;

import dev.tidestream.model.tokenizer.TokenizerSpec.Decoding;
import dev.tidestream.model.tokenizer.TokenizerSpec.Preparation;
import dev.tidestream.model.tokenizer.TokenizerSpec.Specials;
import dev.tidestream.model.tokenizer.TokenizerSpec.Spelling;
import dev.tidestream.model.tokenizer.normalizer.Normalizer;
import dev.tidestream.model.tokenizer.pretokenizer.NamedPreTokenizer;
import dev.tidestream.model.tokenizer.pretokenizer.PreTokenizer;

/** Small specifications for tests. */
final class Specs {
    private Specs() {}

    /** Byte-level BPE that cuts as GPT-2 does; SentencePiece without a prefix space. */
    static TokenizerSpec of(TokenizerSpec.Algorithm algorithm, List<String> tokens, List<TokenType> types, OptionalInt unknown) {
        return of(algorithm, tokens, types, unknown, "gpt-2", false);
    }

    static TokenizerSpec of(TokenizerSpec.Algorithm algorithm, List<String> tokens, List<TokenType> types, OptionalInt unknown,
            String pre, boolean spacePrefix) {
        boolean bytes = algorithm instanceof TokenizerSpec.BytePair;
        List<Normalizer> normalizers = new ArrayList<>();
        if (!bytes && spacePrefix) {
            normalizers.add(new Normalizer.Prepend("▁"));
        }
        if (!bytes) {
            normalizers.add(new Normalizer.ReplaceText(" ", "▁"));
        }
        PreTokenizer preTokenizer = bytes ? NamedPreTokenizer.named(pre).orElseThrow().preTokenizer() : PreTokenizer.NONE;
        return new TokenizerSpec(algorithm, tokens, types,
                new Preparation(normalizers, preTokenizer, false, Map.of()),
                new Decoding(bytes ? Spelling.BYTE_ALPHABET : Spelling.ESCAPED_SPACES, false, !bytes && spacePrefix),
                new Specials(OptionalInt.empty(), OptionalInt.empty(), unknown, OptionalInt.empty(), Set.of(), List.of(), List.of()));
    }
}
