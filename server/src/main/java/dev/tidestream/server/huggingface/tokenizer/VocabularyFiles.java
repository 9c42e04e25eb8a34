package dev.tidestream.server.huggingface.tokenizer;

import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;

import com.fasterxml.jackson.databind.JsonNode;

import dev.tidestream.model.gguf.GgufException;
import dev.tidestream.model.tokenizer.TokenType;
import dev.tidestream.model.tokenizer.TokenizerException;
import dev.tidestream.model.tokenizer.TokenizerSpec;
import dev.tidestream.model.tokenizer.TokenizerSpec.AddedToken;
import dev.tidestream.model.tokenizer.TokenizerSpec.Decoding;
import dev.tidestream.model.tokenizer.TokenizerSpec.Preparation;
import dev.tidestream.model.tokenizer.TokenizerSpec.Spelling;
import dev.tidestream.model.tokenizer.TokenizerSpec.Symbols;
import dev.tidestream.model.tokenizer.normalizer.Normalizer;
import dev.tidestream.model.tokenizer.pretokenizer.NamedPreTokenizer;

/** Reads vocab.json and merges.txt: byte-level BPE that cuts as the class of the tokenizer says. */
final class VocabularyFiles {
    private VocabularyFiles() {}

    static TokenizerSpec read(Path folder, TokenizerSettings settings) throws IOException {
        NamedPreTokenizer named = named(settings);
        TokenTable table = new TokenTable(folder.resolve("vocab.json").toString());
        for (Map.Entry<String, JsonNode> token : JsonFile.tree(folder.resolve("vocab.json")).properties()) {
            table.put(id(folder, "vocab.json", token), token.getKey(), TokenType.NORMAL);
        }
        addSpecials(folder, settings, table);
        List<String> tokens = table.texts();
        TokenizerSpec.Algorithm algorithm = new TokenizerSpec.BytePair(
                Symbols.BYTES, MergePairs.of(merges(folder), table, tokens, folder.resolve("merges.txt").toString()),
                named.ignoresMerges(), false, false);
        List<Normalizer> normalizers = named.composes() ? List.of(new Normalizer.Form(java.text.Normalizer.Form.NFC)) : List.of();
        return new TokenizerSpec(algorithm, tokens, table.types(),
                new Preparation(normalizers, named.preTokenizer(), true, table.rules()),
                new Decoding(Spelling.BYTE_ALPHABET, false, false),
                SpecialsMaker.make(folder.toString(), settings, table.ids(), table.size(), OptionalInt.empty(), List.of(), List.of()));
    }

    private static NamedPreTokenizer named(TokenizerSettings settings) {
        String kind = settings.config().path("tokenizer_class").asText("GPT2Tokenizer");
        if (settings.addPrefixSpace().orElse(false)) {
            throw new TokenizerException("tokenizer_config.json: add_prefix_space: not understood with vocab.json: true");
        }
        String name = switch (kind) {
            case "GPT2Tokenizer", "GPT2TokenizerFast" -> "gpt-2";
            case "Qwen2Tokenizer", "Qwen2TokenizerFast" -> "qwen2";
            default -> throw new TokenizerException("tokenizer_config.json: tokenizer_class: unknown with vocab.json: '%s', known: "
                    .formatted(GgufException.quote(kind)) + "GPT2Tokenizer, Qwen2Tokenizer; tokenizer.json is read for any class");
        };
        return NamedPreTokenizer.named(name).orElseThrow();
    }

    private static int id(Path folder, String file, Map.Entry<String, JsonNode> token) {
        if (!token.getValue().isIntegralNumber() || !token.getValue().canConvertToInt()) {
            throw new TokenizerException("%s: id of '%s' not understood: %s".formatted(
                    folder.resolve(file), GgufException.quote(token.getKey()), GgufException.quote(token.getValue().toString())));
        }
        return token.getValue().intValue();
    }

    private static void addSpecials(Path folder, TokenizerSettings settings, TokenTable table) throws IOException {
        Set<String> added = new LinkedHashSet<>();
        settings.added().forEach((id, token) -> {
            table.add(id, token);
            added.add(token.content());
        });
        for (Map.Entry<String, JsonNode> token : JsonFile.tree(folder.resolve("added_tokens.json")).properties()) {
            if (added.add(token.getKey())) {
                table.add(id(folder, "added_tokens.json", token), new AddedTokenPart(token.getKey(), false, AddedToken.PLAIN));
            }
        }
        for (String special : settings.special().values()) {
            if (table.idOf(special) >= 0 && added.add(special)) {
                table.add(table.idOf(special), new AddedTokenPart(special, true, AddedToken.PLAIN));
            }
        }
    }

    private static List<String> merges(Path folder) throws IOException {
        PackedStrings merges = new PackedStrings();
        int number = 0;
        for (String line : JsonFile.text(folder.resolve("merges.txt")).split("\n", -1)) {
            number++;
            String merge = line.endsWith("\r") ? line.substring(0, line.length() - 1) : line;
            if (merge.isEmpty() || (number == 1 && merge.startsWith("#version"))) {
                continue;
            }
            int space = merge.indexOf(' ');
            if (space <= 0 || space == merge.length() - 1 || merge.indexOf(' ', space + 1) >= 0) {
                throw new TokenizerException("%s: line %d: expected 'left right': '%s'"
                        .formatted(folder.resolve("merges.txt"), number, GgufException.quote(merge)));
            }
            merges.add(merge.substring(0, space));
            merges.add(merge.substring(space + 1));
        }
        return merges;
    }
}
