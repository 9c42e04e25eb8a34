package dev.tidestream.server.app;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

import dev.tidestream.model.gguf.GgufMetadata;
import dev.tidestream.model.gguf.ModelSource;
import dev.tidestream.server.chat.ChatTemplates;
import dev.tidestream.server.chat.SpecialTokens;
import dev.tidestream.server.huggingface.HuggingFaceFolder;

/**
 * What the files of a model say about conversations.
 *
 * @param templates its own; perhaps none
 * @param tokens that templates know by name
 */
public record ChatFiles(ChatTemplates templates, SpecialTokens tokens) {

    /**
     * Of a file or a folder. Keeps nothing of the source.
     *
     * @throws UncheckedIOException if a file of the folder cannot be read or is not what it should be
     */
    public static ChatFiles of(ModelSource source) {
        if (source instanceof HuggingFaceFolder folder) {
            try {
                return new ChatFiles(ChatTemplates.ofFolder(folder.folder()), SpecialTokens.ofFolder(folder.folder()));
            } catch (IOException e) {
                throw new UncheckedIOException("%s: the chat template cannot be read".formatted(folder.path()), e);
            }
        }
        GgufMetadata metadata = source.metadata();
        return new ChatFiles(ChatTemplates.of(metadata),
                SpecialTokens.of(text(metadata, "tokenizer.ggml.bos_token_id"), text(metadata, "tokenizer.ggml.eos_token_id")));
    }

    private static Optional<String> text(GgufMetadata metadata, String key) {
        OptionalInt id = metadata.findInteger(key);
        List<String> texts = metadata.findStrings(ModelSource.TOKENS_KEY).orElse(List.of());
        boolean there = id.isPresent() && id.getAsInt() >= 0 && id.getAsInt() < texts.size();
        return there ? Optional.of(texts.get(id.getAsInt())) : Optional.empty();
    }
}
