package dev.tidestream.server.huggingface.tokenizer;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;

import dev.tidestream.model.tokenizer.TokenizerException;
import dev.tidestream.protocol.JsonInput;

/** JSON files of a folder, within bounds. */
final class JsonFile {
    private static final int MAX_BYTES = 1 << 27;
    private static final int MAX_DEPTH = 64;
    private static final int MAX_FIELDS = 1 << 22;
    private static final int MAX_VALUES = 1 << 23; // names, values and brackets; 260,000 tokens and their merges have 3 million
    private static final int MAX_NAME_CHARS = 1 << 16;

    /** For vocabularies: one field per token. */
    static final JsonInput INPUT = new JsonInput(MAX_BYTES, MAX_DEPTH, MAX_FIELDS, MAX_NAME_CHARS, MAX_VALUES);

    private JsonFile() {}

    /**
     * The bytes of a file.
     *
     * @throws TokenizerException if it is no regular file (opening a pipe would wait for a writer), or too large
     */
    static byte[] bytes(Path file) throws IOException {
        if (!Files.isRegularFile(file)) {
            throw new TokenizerException(file + ": a directory or device, not a file");
        }
        try (InputStream in = Files.newInputStream(file)) {
            byte[] bytes = in.readNBytes(MAX_BYTES + 1);
            if (bytes.length > MAX_BYTES) {
                throw new TokenizerException("%s: too large: bytes>%d, limit=%d".formatted(file, MAX_BYTES, MAX_BYTES));
            }
            return bytes;
        }
    }

    /** The text of a file. */
    static String text(Path file) throws IOException {
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes(file))).toString();
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
