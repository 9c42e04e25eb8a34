package dev.tidestream.server.huggingface.tokenizer;

import java.io.IOException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.regex.Pattern;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.jspecify.annotations.Nullable;

import dev.tidestream.model.gguf.GgufException;
import dev.tidestream.model.tokenizer.TokenType;
import dev.tidestream.model.tokenizer.TokenizerException;
import dev.tidestream.model.tokenizer.TokenizerSpec;
import dev.tidestream.model.tokenizer.TokenizerSpec.Decoding;
import dev.tidestream.model.tokenizer.TokenizerSpec.Preparation;
import dev.tidestream.model.tokenizer.TokenizerSpec.Specials;
import dev.tidestream.model.tokenizer.TokenizerSpec.Spelling;
import dev.tidestream.model.tokenizer.TokenizerSpec.Symbols;

/** Reads tokenizer.json. */
final class TokenizerJson {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final Pattern BYTE_TOKEN = Pattern.compile("<0x[0-9A-F]{2}>");

    private final Path file;
    private final TokenizerSettings settings;
    private final ModelPart model;
    private final Part root;
    private final TokenTable table;

    private TokenizerJson(Path file, TokenizerSettings settings, ModelPart model, Part root) {
        this.file = file;
        this.settings = settings;
        this.model = model;
        this.root = root;
        this.table = new TokenTable(file.toString());
    }

    static TokenizerSpec read(Path file, TokenizerSettings settings) throws IOException {
        ObjectNode rest = MAPPER.createObjectNode();
        ModelPart model = null;
        try (JsonParser parser = JsonFile.INPUT.parser(JsonFile.text(file))) {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                throw new TokenizerException(file + ": not a JSON object");
            }
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                String name = parser.currentName();
                parser.nextToken();
                if (name.equals("model")) {
                    model = ModelPart.read(parser, file + ": model");
                } else {
                    rest.set(name, MAPPER.<JsonNode>readTree(parser));
                }
            }
            if (parser.nextToken() != null) {
                throw new TokenizerException(file + ": something stands behind the end");
            }
        } catch (JsonProcessingException e) {
            throw JsonFile.fault(file, e);
        }
        return new TokenizerJson(file, settings, required(file, model), new Part(file + ":", rest)).spec();
    }

    private static ModelPart required(Path file, @Nullable ModelPart model) {
        if (model == null) {
            throw new TokenizerException(file + ": model: missing");
        }
        return model;
    }

    private TokenizerSpec spec() {
        root.only("version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer", "post_processor", "decoder");
        String type = model.rest().findText("type").orElse(model.merges().isEmpty() ? "" : "BPE");
        boolean byteFallback = model.rest().bool("byte_fallback", false);
        for (int i = 0; i < model.size(); i++) {
            boolean isByte = byteFallback && BYTE_TOKEN.matcher(model.text(i)).matches();
            int other = table.idOf(model.text(i));
            if (other >= 0) {
                throw new TokenizerException("%s: model.vocab: two tokens with one text: ids=%d and %d, text='%s'"
                        .formatted(file, other, model.id(i), GgufException.quote(model.text(i))));
            }
            table.put(model.id(i), model.text(i), isByte ? TokenType.BYTE : TokenType.NORMAL);
        }
        addedTokens();
        PreTokenizerPart.Read pre = PreTokenizerPart.read(root.at("pre_tokenizer"), settings);
        Decoding decoding = DecoderPart.read(root.at("decoder"));
        if (pre.byteLevel() != (decoding.spelling() == Spelling.BYTE_ALPHABET)) {
            throw root.at("decoder").refusal(); // words are bytes and tokens are not, or the other way round
        }
        OptionalInt unknown = unknown(type);
        table.unknown(unknown);
        List<String> tokens = table.texts();
        TokenizerSpec.Algorithm algorithm = switch (type) {
            case "BPE" -> bytePair(pre.byteLevel(), byteFallback, tokens);
            case "Unigram" -> unigram(byteFallback, tokens.size());
            default -> throw model.rest().at("type").refusal();
        };
        Preparation preparation = new Preparation(
                NormalizerPart.read(root.at("normalizer")), pre.preTokenizer(), true, table.rules());
        return new TokenizerSpec(algorithm, tokens, table.types(), preparation, decoding, specials(unknown));
    }

    private void addedTokens() {
        Set<String> contents = new HashSet<>();
        if (!root.at("added_tokens").isNull()) {
            for (Part part : root.at("added_tokens").elements()) {
                AddedTokenPart token = AddedTokenPart.read(part);
                table.add(part.integer("id"), token);
                contents.add(token.content());
            }
        }
        settings.added().forEach((id, token) -> {
            if (!contents.contains(token.content())) {
                table.add(id, token);
            }
        });
    }

    private OptionalInt unknown(String type) {
        Part rest = model.rest();
        if (type.equals("Unigram")) {
            return unknownId(rest);
        }
        String text = rest.findText("unk_token").orElse(null);
        if (text == null) {
            return OptionalInt.empty();
        }
        if (table.idOf(text) < 0) {
            throw rest.at("unk_token").refusal();
        }
        return OptionalInt.of(table.idOf(text));
    }

    private OptionalInt unknownId(Part rest) {
        if (rest.at("unk_id").isNull()) {
            return OptionalInt.empty();
        }
        int id = rest.integer("unk_id");
        if (id < 0 || id >= table.size()) {
            throw rest.at("unk_id").outside(table.size());
        }
        return OptionalInt.of(id);
    }

    private TokenizerSpec.Algorithm bytePair(boolean byteLevel, boolean byteFallback, List<String> tokens) {
        Part rest = model.rest().only("type", "dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk",
                "byte_fallback", "ignore_merges");
        if (model.scored()) {
            throw new TokenizerException(file + ": model.vocab: BPE has ids, not scores");
        }
        rest.absent("dropout");
        rest.absent("continuing_subword_prefix");
        rest.absent("end_of_word_suffix");
        if (byteLevel && !rest.at("unk_token").isNull() && !allBytes()) {
            throw rest.at("unk_token").refusal(); // bytes without a token would become it
        }
        return new TokenizerSpec.BytePair(
                byteLevel ? Symbols.BYTES : Symbols.CHARACTERS,
                MergePairs.of(model.merges(), table, tokens, file + ": model"),
                rest.bool("ignore_merges", false),
                byteFallback,
                rest.bool("fuse_unk", false));
    }

    /** Whether each byte is a token: printable Latin-1 as itself, others as U+0100 and up. */
    private boolean allBytes() {
        int invisible = 0x100;
        for (int b = 0; b < 0x100; b++) {
            boolean visible = (b >= '!' && b <= '~') || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE;
            if (table.plainIdOf(Character.toString(visible ? b : invisible++)) < 0) {
                return false;
            }
        }
        return true;
    }

    private TokenizerSpec.Algorithm unigram(boolean byteFallback, int size) {
        model.rest().only("type", "unk_id", "byte_fallback");
        if (!model.scored() || !model.merges().isEmpty()) {
            throw new TokenizerException(file + ": model.vocab: Unigram has scores, and no merges");
        }
        float[] scores = new float[size];
        for (int i = 0; i < model.size(); i++) {
            scores[i] = model.score(i);
            if (Float.isNaN(scores[i])) {
                throw new TokenizerException("%s: model.vocab[%d]: not a number".formatted(file, i));
            }
        }
        return new TokenizerSpec.Unigram(scores, byteFallback);
    }

    private Specials specials(OptionalInt unknownOfModel) {
        PostProcessorPart around = PostProcessorPart.read(root.at("post_processor"), table.size());
        return SpecialsMaker.make(file.toString(), settings, table.ids(), table.size(), unknownOfModel, around.prefix(), around.suffix());
    }
}
