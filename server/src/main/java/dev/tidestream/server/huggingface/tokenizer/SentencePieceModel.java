package dev.tidestream.server.huggingface.tokenizer;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

import dev.tidestream.model.gguf.GgufException;
import dev.tidestream.model.tokenizer.TokenType;
import dev.tidestream.model.tokenizer.TokenizerException;
import dev.tidestream.model.tokenizer.TokenizerSpec;
import dev.tidestream.model.tokenizer.TokenizerSpec.Decoding;
import dev.tidestream.model.tokenizer.TokenizerSpec.Preparation;
import dev.tidestream.model.tokenizer.TokenizerSpec.Specials;
import dev.tidestream.model.tokenizer.TokenizerSpec.Spelling;
import dev.tidestream.model.tokenizer.normalizer.CharsMap;
import dev.tidestream.model.tokenizer.normalizer.Normalizer;
import dev.tidestream.model.tokenizer.pretokenizer.PreTokenizer;
import dev.tidestream.model.tokenizer.regex.Regex;

/** Reads tokenizer.model: SentencePiece's own file, a protobuf message. */
final class SentencePieceModel {
    private static final String SPACE = "▁";
    private static final int UNIGRAM = 1;
    private static final int BPE = 2;

    private final String file;
    private final TokenTable table;
    private float[] scores = new float[1 << 10];
    private int pieces;
    private int modelType = UNIGRAM; // what is not written has its default
    private boolean byteFallback;
    private boolean addDummyPrefix = true;
    private boolean removeExtraWhitespaces = true;
    private byte[] charsMap = {};
    private final Map<String, Integer> ids = new HashMap<>(Map.of("unk", 0, "bos", 1, "eos", 2, "pad", -1));

    private SentencePieceModel(String file) {
        this.file = file;
        this.table = new TokenTable(file);
    }

    static TokenizerSpec read(Path file, TokenizerSettings settings) throws IOException {
        SentencePieceModel model = new SentencePieceModel(file.toString());
        Protobuf message = new Protobuf(file.toString(), ByteBuffer.wrap(JsonFile.bytes(file)));
        while (message.next()) {
            switch (message.field()) {
                case 1 -> model.piece(message.message());
                case 2 -> model.trainer(message.message());
                case 3 -> model.normalizer(message.message());
                default -> { } // test data; how text is put back, which no tokenizer of these families has
            }
        }
        return model.spec(settings);
    }

    private void piece(Protobuf piece) {
        String text = "";
        float score = 0;
        TokenType type = TokenType.NORMAL;
        while (piece.next()) {
            switch (piece.field()) {
                case 1 -> text = piece.text();
                case 2 -> score = piece.float32();
                case 3 -> type = TokenType.of((int) piece.number()); // the numbers are GGUF's, which has them from here
                default -> { }
            }
        }
        if (type == TokenType.UNDEFINED || Float.isNaN(score)) {
            throw new TokenizerException("%s: pieces[%d]: type or score not understood: score=%s".formatted(file, pieces, score));
        }
        if (pieces == scores.length) {
            scores = Arrays.copyOf(scores, 2 * pieces);
        }
        int other = table.idOf(text);
        refuseIf(other >= 0, "pieces[%d]: the text of pieces[%d], too: '%s'".formatted(pieces, other, GgufException.quote(text)));
        scores[pieces] = score;
        table.put(pieces++, type == TokenType.USER_DEFINED ? text.replace(SPACE, " ") : text, type);
    }

    private void trainer(Protobuf spec) {
        while (spec.next()) {
            switch (spec.field()) {
                case 3 -> modelType = (int) spec.number();
                case 24 -> refuseIf(spec.number() != 0, "treat_whitespace_as_suffix: not understood: true");
                case 35 -> byteFallback = spec.number() != 0;
                case 40 -> ids.put("unk", (int) spec.number());
                case 41 -> ids.put("bos", (int) spec.number());
                case 42 -> ids.put("eos", (int) spec.number());
                case 43 -> ids.put("pad", (int) spec.number());
                default -> { } // how it was trained
            }
        }
    }

    private void normalizer(Protobuf spec) {
        while (spec.next()) {
            switch (spec.field()) {
                case 2 -> charsMap = spec.bytes();
                case 3 -> addDummyPrefix = spec.number() != 0;
                case 4 -> removeExtraWhitespaces = spec.number() != 0;
                case 5 -> refuseIf(spec.number() == 0, "escape_whitespaces: not understood: false");
                default -> { } // its name, and the source of the table
            }
        }
    }

    private void refuseIf(boolean refused, String message) {
        if (refused) {
            throw new TokenizerException(file + ": " + message);
        }
    }

    private TokenizerSpec spec(TokenizerSettings settings) {
        settings.added().forEach((id, token) -> {
            if (table.idOf(token.content()) < 0) {
                table.add(id, token);
            }
        });
        scores = Arrays.copyOf(scores, table.size());
        TokenizerSpec.Algorithm algorithm = switch (modelType) {
            case UNIGRAM -> new TokenizerSpec.Unigram(scores, byteFallback);
            case BPE -> new TokenizerSpec.SentencePiece(scores);
            default -> throw new TokenizerException("%s: trainer_spec.model_type: unsupported: %d, supported: 1 (unigram), 2 (bpe)"
                    .formatted(file, modelType));
        };
        for (String role : ids.keySet()) {
            int id = ids.get(role);
            if (id >= 0 && id < table.size()) {
                settings.ids().putIfAbsent(role, id);
            }
        }
        OptionalInt unknown = id(settings, "unk");
        List<Integer> prefix = modelType == BPE ? asList(id(settings, "bos")) : List.of();
        List<Integer> suffix = modelType == UNIGRAM ? asList(id(settings, "eos")) : List.of();
        Specials specials = SpecialsMaker.make(file, settings, table.ids(), table.size(), unknown, prefix, suffix);
        Preparation preparation = new Preparation(normalizers(), PreTokenizer.NONE, true, table.rules());
        return new TokenizerSpec(algorithm, table.texts(), table.types(), preparation,
                new Decoding(Spelling.ESCAPED_SPACES, false, addDummyPrefix), specials);
    }

    private OptionalInt id(TokenizerSettings settings, String role) {
        return settings.id(role, table.ids(), table.size());
    }

    private static List<Integer> asList(OptionalInt id) {
        return id.isPresent() ? List.of(id.getAsInt()) : List.of();
    }

    private List<Normalizer> normalizers() {
        List<Normalizer> normalizers = new ArrayList<>();
        if (charsMap.length > 0) {
            try {
                normalizers.add(new Normalizer.Precompiled(CharsMap.of(charsMap)));
            } catch (IllegalArgumentException e) {
                throw new TokenizerException("%s: normalizer_spec.%s".formatted(file, e.getMessage()));
            }
        }
        if (removeExtraWhitespaces) {
            normalizers.add(new Normalizer.Replace(Regex.compile(" {2,}"), " "));
            normalizers.add(new Normalizer.Replace(Regex.compile("\\A +| +\\z"), ""));
        }
        if (addDummyPrefix) {
            normalizers.add(new Normalizer.Prepend(SPACE));
        }
        normalizers.add(new Normalizer.ReplaceText(" ", SPACE));
        return normalizers;
    }
}
