package dev.tidestream.server.huggingface.tokenizer;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;

import dev.tidestream.model.tokenizer.TokenizerException;
import dev.tidestream.protocol.JsonInput;

/** JSON files of a folder, within bounds. */
final class JsonFile {
    private static final int MAX_CHARS = 1 << 28;
    private static final int MAX_DEPTH = 64;
    private static final int MAX_FIELDS = 1 << 22;
    private static final int MAX_NAME_CHARS = 1 << 16;

    /** For vocabularies: one field per token. */
    static final JsonInput INPUT = new JsonInput(MAX_CHARS, MAX_DEPTH, MAX_FIELDS, MAX_NAME_CHARS);

    private JsonFile() {}

    /** The text of a file. */
    static String text(Path file) throws IOException {
        long bytes = Files.size(file);
        if (bytes > MAX_CHARS) {
            throw new TokenizerException("%s: too large: bytes=%d, limit=%d".formatted(file, bytes, MAX_CHARS));
        }
        try {
            return Files.readString(file);
        } catch (CharacterCodingException e) {
            throw new TokenizerException(file + ": not UTF-8");
        }
    }

    /** The tree of a file; a missing node if there is no such file. */
    static JsonNode tree(Path file) throws IOException {
        if (!Files.exists(file)) {
            return MissingNode.getInstance();
        }
        try {
            return INPUT.tree(text(file));
        } catch (JsonProcessingException e) {
            throw fault(file, e);
        }
    }

    static TokenizerException fault(Path file, JsonProcessingException e) {
        return new TokenizerException("%s: not JSON: %s".formatted(file, e.getOriginalMessage()));
    }
}
