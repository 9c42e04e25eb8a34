package dev.tidestream.server.huggingface.tokenizer;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

import org.jspecify.annotations.Nullable;

import dev.tidestream.model.gguf.GgufException;
import dev.tidestream.model.tokenizer.TokenType;
import dev.tidestream.model.tokenizer.TokenizerException;
import dev.tidestream.model.tokenizer.TokenizerSpec.AddedToken;

/** Tokens by id and by text, while a tokenizer is read: those of the model, then added ones. Ids that nothing has become padding. */
final class TokenTable {
    private static final int MOST = 1 << 21;

    private final String file;
    private final List<@Nullable String> texts = new ArrayList<>();
    private final List<@Nullable TokenType> types = new ArrayList<>();
    private final Map<String, Integer> ids = new HashMap<>();
    private final Map<Integer, AddedToken> rules = new HashMap<>();

    /** @param file for messages */
    TokenTable(String file) {
        this.file = file;
    }

    /** Adds a token of the model. Of two with one text the first is the one that is looked up. */
    void put(int id, String text, TokenType type) {
        if (id < 0 || id >= MOST) {
            throw new TokenizerException("%s: vocabulary: token id: id=%d, limit=%d, text='%s'"
                    .formatted(file, id, MOST, GgufException.quote(text)));
        }
        while (texts.size() <= id) {
            texts.add(null);
            types.add(null);
        }
        String there = texts.get(id);
        if (there != null && !there.equals(text)) {
            throw new TokenizerException("%s: vocabulary: two tokens with one id: id=%d, texts='%s' and '%s'"
                    .formatted(file, id, GgufException.quote(there), GgufException.quote(text)));
        }
        texts.set(id, text);
        types.set(id, type);
        ids.putIfAbsent(text, id);
    }

    /** Adds a token that is found where it is written. */
    void add(int id, AddedTokenPart token) {
        Integer there = ids.get(token.content());
        if (there != null && there != id) {
            throw new TokenizerException("%s: added_tokens: another id than in the vocabulary: id=%d, vocabulary=%d, content='%s'"
                    .formatted(file, id, there, GgufException.quote(token.content())));
        }
        put(id, token.content(), token.isControl() ? TokenType.CONTROL : TokenType.USER_DEFINED);
        if (token.rule().equals(AddedToken.PLAIN)) {
            rules.remove(id);
        } else {
            rules.put(id, token.rule());
        }
    }

    /** The token of a text; -1 if there is none. */
    int idOf(String text) {
        return ids.getOrDefault(text, -1);
    }

    /** The plain token of a text: one that merges may give; -1 if there is none. */
    int plainIdOf(String text) {
        int id = idOf(text);
        return id >= 0 && isPlain(id) ? id : -1;
    }

    /** Whether merges may give this token. */
    boolean isPlain(int id) {
        TokenType type = types.get(id);
        return type != null && !type.isSpecial() && type != TokenType.BYTE;
    }

    /**
     * Marks the unknown token.
     *
     * @throws TokenizerException if there is no token of this id
     */
    void unknown(OptionalInt id) {
        if (id.isPresent() && (id.getAsInt() < 0 || id.getAsInt() >= types.size())) {
            throw new TokenizerException("%s: unknown token: not in the vocabulary: id=%d, tokens=%d"
                    .formatted(file, id.getAsInt(), types.size()));
        }
        if (id.isPresent() && types.get(id.getAsInt()) != TokenType.USER_DEFINED) {
            types.set(id.getAsInt(), TokenType.UNKNOWN);
        }
    }

    int size() {
        return texts.size();
    }

    Map<String, Integer> ids() {
        return Collections.unmodifiableMap(ids);
    }

    Map<Integer, AddedToken> rules() {
        return Map.copyOf(rules);
    }

    List<String> texts() {
        PackedStrings packed = new PackedStrings();
        for (int id = 0; id < texts.size(); id++) {
            String text = texts.get(id);
            packed.add(text == null ? "[PAD%d]".formatted(id) : text);
        }
        return packed.trimmed();
    }

    List<TokenType> types() {
        List<TokenType> all = new ArrayList<>(types.size());
        for (TokenType type : types) {
            all.add(type == null ? TokenType.UNUSED : type);
        }
        return all;
    }
}
