package dev.tidestream.server.huggingface.tokenizer;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

import dev.tidestream.model.tokenizer.TokenizerException;
import dev.tidestream.model.tokenizer.TokenizerSpec;

/** Reads the tokenizer of a Hugging Face folder. */
public final class FolderTokenizer {
    /** The files of a folder that a tokenizer is read from, those that there are. */
    public static final List<String> FILES = List.of("tokenizer.json", "tokenizer.model", "vocab.json", "merges.txt", "added_tokens.json",
            "tokenizer_config.json", "special_tokens_map.json", "generation_config.json", "config.json");

    private static final String JSON = "tokenizer.json";
    private static final String SENTENCE_PIECE = "tokenizer.model";

    private FolderTokenizer() {}

    /** Whether a folder has files of a tokenizer. */
    public static boolean isIn(Path folder) {
        return Files.exists(folder.resolve(JSON)) || Files.exists(folder.resolve(SENTENCE_PIECE)) || hasVocabulary(folder);
    }

    private static boolean hasVocabulary(Path folder) {
        return Files.exists(folder.resolve("vocab.json")) && Files.exists(folder.resolve("merges.txt"));
    }

    /**
     * The tokenizer of a folder: of tokenizer.json; without one of tokenizer.model (SentencePiece); without that of vocab.json and merges.txt
     * (GPT-2). tokenizer_config.json, special_tokens_map.json, generation_config.json and config.json say which tokens begin and end a text;
     * each may be missing. {@code truncation} and {@code padding} of tokenizer.json are for batches, and not applied.
     *
     * @throws IOException if a file cannot be read
     * @throws TokenizerException if there is none, or something in it is not understood: the file, the key and the value
     */
    public static TokenizerSpec read(Path folder) throws IOException {
        TokenizerSettings settings = TokenizerSettings.read(folder);
        if (Files.exists(folder.resolve(JSON))) {
            return TokenizerJson.read(folder.resolve(JSON), settings);
        }
        if (Files.exists(folder.resolve(SENTENCE_PIECE))) {
            return SentencePieceModel.read(folder.resolve(SENTENCE_PIECE), settings);
        }
        if (hasVocabulary(folder)) {
            return VocabularyFiles.read(folder, settings);
        }
        throw new TokenizerException(folder + ": no tokenizer: expected tokenizer.json, tokenizer.model, or vocab.json and merges.txt");
    }
}
