package dev.tidestream.server.app;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Clock;
import java.time.ZoneId;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.SequencedMap;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.Collectors;

import org.jspecify.annotations.Nullable;

import dev.tidestream.console.Reasons;
import dev.tidestream.model.architecture.ModelException;
import dev.tidestream.model.gguf.GgmlType;
import dev.tidestream.model.gguf.GgufFile;
import dev.tidestream.model.gguf.GgufTensor;
import dev.tidestream.model.gguf.GgufValue;
import dev.tidestream.model.gguf.ModelSource;
import dev.tidestream.model.kernels.KernelSelection;
import dev.tidestream.model.packed.PackedCache;
import dev.tidestream.model.packed.PackedWarnings;
import dev.tidestream.model.tensor.Kernels;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.tokenizer.Tokenizer;
import dev.tidestream.model.tokenizer.TokenizerException;
import dev.tidestream.model.tokenizer.Tokenizers;
import dev.tidestream.model.tokenizer.gguf.GgufTokenizer;
import dev.tidestream.model.tokenizer.gguf.GgufTokenizerWriter;
import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.model.transformer.ModelLoader;
import dev.tidestream.server.admin.store.directory.Sha256;
import dev.tidestream.server.chat.ChatTemplates;
import dev.tidestream.server.chat.ModelChat;
import dev.tidestream.server.chat.SpecialTokens;
import dev.tidestream.server.huggingface.HuggingFaceFolder;
import dev.tidestream.server.huggingface.tokenizer.FolderTokenizer;

/** Files of models: opened, loaded with the kernels of this process, and put into words. */
public final class ModelFiles {
    private static final String EOS_KEY = "tokenizer.ggml.eos_token_id";

    private ModelFiles() {}

    /**
     * Opens a model's file, or its folder; the caller closes it.
     *
     * @param path null for the embedded starter model
     */
    public static ModelSource open(@Nullable Path path) {
        if (path == null) {
            return StarterModel.open();
        }
        return HuggingFaceFolder.isOne(path) ? HuggingFaceFolder.open(path) : GgufFile.open(path);
    }

    /**
     * The tokenizer of a model.
     *
     * @throws ModelException if this version cannot read it
     */
    public static Tokenizer tokenizer(ModelSource source) {
        if (source instanceof HuggingFaceFolder folder) {
            return Tokenizers.of(folder.tokenizer().orElseThrow(() -> noTokenizer(source, "folder")));
        }
        if (source.metadata().keys().stream().noneMatch(key -> key.startsWith("tokenizer."))) {
            throw noTokenizer(source, "file");
        }
        return GgufTokenizer.tokenizer(source.metadata());
    }

    private static ModelException noTokenizer(ModelSource source, String kind) {
        return new ModelException("%s: no tokenizer in this %s; without one, there are only logits of token ids (logits --tokens)"
                .formatted(source.path(), kind));
    }

    /** Whether a model has a tokenizer; perhaps one that this version does not understand. */
    public static boolean hasTokenizer(ModelSource source) {
        return source instanceof HuggingFaceFolder folder ? folder.hasTokenizer() : source.tokens().isPresent();
    }

    /**
     * How many token ids of a model stand for something, without making a tokenizer: rows behind are padding. None if it has no
     * tokenizer, or a folder one that is not understood.
     */
    public static OptionalInt usedTokens(ModelSource source) {
        return source instanceof HuggingFaceFolder ? source.tokens() : GgufTokenizer.usedTokens(source.metadata());
    }

    /**
     * What a GGUF file of this model would have beside its metadata: of a folder, tokenizer and chat templates under GGUF's keys.
     *
     * @param rows of the embedding: each has a token, those behind the tokenizer's are padding
     * @param warnings gets what other programs will not know of the file's tokenizer
     * @throws TokenizerException if the folder's tokenizer has what GGUF has no key for
     */
    public static SequencedMap<String, GgufValue> otherMetadata(
            ModelSource source, int rows, Consumer<String> warnings) {
        SequencedMap<String, GgufValue> metadata = new LinkedHashMap<>();
        if (source instanceof HuggingFaceFolder folder) {
            folder.tokenizer().ifPresent(spec -> metadata.putAll(GgufTokenizerWriter.metadata(spec.padded(rows), warnings)));
            try {
                ChatTemplates.ofFolder(folder.folder()).putInto(metadata);
            } catch (IOException e) {
                throw new UncheckedIOException("%s: the chat template cannot be read".formatted(folder.path()), e);
            }
        }
        return metadata;
    }

    /**
     * How a model chats.
     *
     * @param given a file with a template instead of the model's own; null for this
     */
    public static ModelChat chat(ModelSource source, Tokenizer tokenizer, @Nullable Path given) {
        try {
            return new ModelChat(chatTemplates(source, given), specialTokens(source, tokenizer), tokenizer,
                    Clock.system(ZoneId.systemDefault()));
        } catch (IOException e) {
            throw new UncheckedIOException("%s: the chat template cannot be read".formatted(source.path()), e);
        }
    }

    /**
     * The chat templates of a model; perhaps none. Makes no tokenizer.
     *
     * @param given a file with a template instead of the model's own; null for this
     * @throws IOException if a file cannot be read or is not what it should be
     */
    public static ChatTemplates chatTemplates(ModelSource source, @Nullable Path given) throws IOException {
        if (given != null) {
            return ChatTemplates.ofFile(given);
        }
        return source instanceof HuggingFaceFolder folder
                ? ChatTemplates.ofFolder(folder.folder())
                : ChatTemplates.of(source.metadata());
    }

    /**
     * SHA-256 of what makes prompts and texts: templates, and the tokenizer's files of a folder; a GGUF file has it in itself.
     *
     * @param chat of the model, or given
     */
    static String promptSha256(ModelSource source, ModelChat chat) {
        MessageDigest digest = Sha256.digest();
        digest.update(chat.content().getBytes(StandardCharsets.UTF_8));
        if (source instanceof HuggingFaceFolder folder) {
            for (String name : FolderTokenizer.FILES) {
                Path file = folder.folder().resolve(name);
                digest.update(("\n" + name + "\n").getBytes(StandardCharsets.UTF_8));
                if (Files.exists(file)) {
                    try (InputStream in = Files.newInputStream(file)) {
                        digest.update(Sha256.of(in).getBytes(StandardCharsets.UTF_8));
                    } catch (IOException e) {
                        throw new UncheckedIOException("%s: cannot be read".formatted(file), e);
                    }
                }
            }
        }
        return Sha256.hex(digest);
    }

    private static SpecialTokens specialTokens(ModelSource source, Tokenizer tokenizer) throws IOException {
        if (source instanceof HuggingFaceFolder folder) {
            SpecialTokens named = SpecialTokens.ofFolder(folder.folder());
            if (!named.texts().isEmpty()) {
                return named;
            }
        }
        return SpecialTokens.of(name(tokenizer.bosToken(), tokenizer), name(source.metadata().findInteger(EOS_KEY), tokenizer));
    }

    private static Optional<String> name(OptionalInt token, Tokenizer tokenizer) {
        return token.stream().filter(id -> id >= 0 && id < tokenizer.vocabularySize()).mapToObj(tokenizer::tokenText).findFirst();
    }

    /**
     * Loads a model, or maps packed weights of it.
     *
     * @param team that packs
     * @return the caller's
     */
    public static LoadedModel load(ModelLoader loader, ServerConfig.Compute compute, WorkerTeam team, StartListener listener) {
        Kernels kernels = KernelSelection.fastest();
        KernelSelection.warning().ifPresent(listener::warning);
        loader.warnings().forEach(listener::warning);
        ServerConfig.Packed packed = compute.packed();
        try (StartListener.Loading progress = listener.loading(loader.source().path())) {
            return packed == null
                    ? loader.load(kernels, team, progress)
                    : loader.load(kernels, team, progress,
                            new PackedCache(packed.directory(), packed.fullCheck(), packed.load(), new Warnings(listener)));
        }
    }

    private record Warnings(StartListener listener) implements PackedWarnings {
        @Override
        public void accept(String warning) {
            listener.warning(warning);
        }

        @Override
        public String reason(Exception e) {
            return Reasons.of(e);
        }
    }

    /** How many tensors of which type, e.g. {@code 13 F32, 43 Q8_0}. */
    public static String tensorTypes(ModelSource gguf) {
        Map<GgmlType, Long> counts = gguf.tensors().values().stream()
                .collect(Collectors.groupingBy(GgufTensor::type, TreeMap::new, Collectors.counting()));
        return counts.entrySet().stream().map(entry -> entry.getValue() + " " + entry.getKey()).collect(Collectors.joining(", "));
    }
}
