package dev.tidestream.server.huggingface;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.SequencedMap;
import java.util.function.Supplier;

import org.jspecify.annotations.Nullable;

import dev.tidestream.model.architecture.ModelException;
import dev.tidestream.model.gguf.ContentHash;
import dev.tidestream.model.gguf.GgufException;
import dev.tidestream.model.gguf.GgufMetadata;
import dev.tidestream.model.gguf.GgufTensor;
import dev.tidestream.model.gguf.GgufValue;
import dev.tidestream.model.gguf.MappedPages;
import dev.tidestream.model.gguf.ModelSource;
import dev.tidestream.model.tokenizer.TokenizerException;
import dev.tidestream.model.tokenizer.TokenizerSpec;
import dev.tidestream.server.huggingface.tokenizer.FolderTokenizer;

/**
 * A model in a folder as Hugging Face's libraries store it: {@code config.json} and one or more safetensors files, memory-mapped and
 * read-only, translated into GGUF's words. Tensors that a GGUF file has in another form are made when they are asked for.
 */
public final class HuggingFaceFolder implements ModelSource {
    private static final int ALIGNMENT = 64;
    private static final int LEAST_ALIGNMENT = 8; // that of tensors in a GGUF file

    private final FolderFiles files;
    private final byte[] config;
    private final FileTime configModified;
    private final Shards shards;
    private final ModelConfig model;
    private final SequencedMap<String, Recipe> recipes;
    private final GgufMetadata metadata;
    private final Map<String, GgufTensor> tensors;
    private final Supplier<Optional<TokenizerSpec>> tokenizer;
    private volatile @Nullable String sha256;

    private HuggingFaceFolder(FolderFiles files, byte[] config, FileTime configModified, ModelConfig model, Shards shards) {
        this.files = files;
        this.config = config;
        this.configModified = configModified;
        this.shards = shards;
        this.model = model;
        this.recipes = Translation.of(shards, model);
        Map<String, GgufValue> values = new LinkedHashMap<>(model.keys().values());
        values.put("general.name", new GgufValue.StringValue(files.name()));
        this.metadata = GgufMetadata.of(files.named().toString(), values);
        Map<String, GgufTensor> all = new LinkedHashMap<>();
        recipes.forEach((name, recipe) -> all.put(name, new GgufTensor(name, recipe.type(), recipe.dimensions(),
                recipe.parts().stream().mapToLong(part -> part.tensor().offsetBytes()).findFirst().orElse(0),
                recipe.type().bytes(recipe.dimensions().stream().reduce(1L, Math::multiplyExact)))));
        this.tensors = Collections.unmodifiableMap(all);
        this.tokenizer = new Once<>(() -> readTokenizer(files.folder()));
    }

    /** Whether a path names a folder, or a file in one, that this reads; others are GGUF files. */
    public static boolean isOne(Path path) {
        return FolderFiles.isOne(path);
    }

    /**
     * Reads the configuration, maps the files of weights and checks that all of it goes together.
     *
     * @param path a folder, its {@code model.safetensors} or {@code model.safetensors.index.json}, or a model's folder in the hub's cache
     * @throws ModelException if it is no model that is known here; names the file, and the key or tensor
     * @throws UncheckedIOException if the system cannot read it
     */
    @SuppressWarnings("MustBeClosedChecker") // close() of the result closes them
    public static HuggingFaceFolder open(Path path) {
        FolderFiles files = FolderFiles.of(path);
        ModelConfig model = config(files);
        Shards shards = Shards.open(files.weights());
        boolean done = false;
        try {
            HuggingFaceFolder folder = new HuggingFaceFolder(
                    files, Files.readAllBytes(files.config()), Files.getLastModifiedTime(files.config()), model, shards);
            done = true;
            return folder;
        } catch (ModelException | GgufException e) {
            throw new ModelException("%s: %s".formatted(path, e.getMessage()));
        } catch (IOException e) {
            throw new UncheckedIOException("%s: cannot be read".formatted(files.config()), e);
        } finally {
            if (!done) {
                shards.close();
            }
        }
    }

    private static ModelConfig config(FolderFiles files) {
        try {
            return ModelConfig.of(FolderFiles.json(files.config()));
        } catch (ModelException e) {
            String message = String.valueOf(e.getMessage());
            String file = files.config().toString();
            throw message.startsWith(file) ? e : new ModelException("%s: %s".formatted(file, message));
        }
    }

    /**
     * The tokenizer of this folder, read once; none if there is no file of one.
     *
     * @throws TokenizerException if something in it is not understood
     * @throws UncheckedIOException if it cannot be read
     */
    public Optional<TokenizerSpec> tokenizer() {
        return tokenizer.get();
    }

    /** Whether there is a file of a tokenizer; perhaps of one that is not understood. */
    public boolean hasTokenizer() {
        return FolderTokenizer.isIn(files.folder());
    }

    private static Optional<TokenizerSpec> readTokenizer(Path folder) {
        try {
            return FolderTokenizer.isIn(folder) ? Optional.of(FolderTokenizer.read(folder)) : Optional.empty();
        } catch (IOException e) {
            throw new UncheckedIOException("%s: the tokenizer cannot be read".formatted(folder), e);
        }
    }

    @Override
    public OptionalInt tokens() {
        try {
            return tokenizer().map(spec -> OptionalInt.of(spec.tokens().size())).orElse(OptionalInt.empty());
        } catch (TokenizerException _) { // whoever needs a tokenizer asks for it, and is told
            return OptionalInt.empty();
        }
    }

    /** The folder itself. */
    public Path folder() {
        return files.folder();
    }

    @Override
    public Path path() {
        return files.named();
    }

    @Override
    public String format() {
        return "Hugging Face folder of a %s model".formatted(model.family().modelTypes().iterator().next());
    }

    @Override
    public List<Path> parts() {
        return shards.paths();
    }

    private Recipe recipe(GgufTensor tensor) {
        Recipe recipe = recipes.get(tensor.name());
        if (recipe == null) {
            throw new IllegalArgumentException("no tensor of this model: " + tensor.name());
        }
        return recipe;
    }

    @Override
    public int part(GgufTensor tensor) {
        return recipe(tensor).parts().stream().mapToInt(Shards.Stored::shard).findFirst().orElse(0);
    }

    @Override
    public GgufMetadata metadata() {
        return metadata;
    }

    @Override
    public Map<String, GgufTensor> tensors() {
        return tensors;
    }

    @Override
    public MemorySegment data(GgufTensor tensor, SegmentAllocator made) {
        Recipe recipe = recipe(tensor);
        if (recipe.copiesBytes()) {
            MemorySegment stored = shards.data(recipe.parts().getFirst());
            if (stored.address() % LEAST_ALIGNMENT == 0) {
                return stored;
            }
        }
        MemorySegment out = made.allocate(tensor.bytes(), ALIGNMENT);
        try {
            recipe.make(shards, out);
        } catch (GgufException e) {
            throw new GgufException("%s: %s".formatted(path(), e.getMessage()), e);
        }
        return out.asReadOnly();
    }

    @Override
    public void willNeed(GgufTensor tensor) {
        recipe(tensor).parts().forEach(part -> MappedPages.willNeed(shards.data(part)));
    }

    @Override
    public void release(GgufTensor tensor) {
        recipe(tensor).parts().forEach(part -> MappedPages.release(shards.data(part)));
    }

    @Override
    public void releaseAll() {
        shards.images().forEach(MappedPages::release);
    }

    @Override
    public long fileBytes() {
        return shards.images().stream().mapToLong(MemorySegment::byteSize).sum();
    }

    @Override
    public Optional<FileTime> modified() {
        FileTime weights = shards.modified();
        return Optional.of(weights.compareTo(configModified) > 0 ? weights : configModified);
    }

    @Override
    public String sha256() {
        String known = sha256;
        if (known == null) {
            ContentHash hash = new ContentHash();
            hash.add(config);
            shards.images().forEach(image -> hash.addAll(image, MappedPages::release));
            known = hash.hex();
            sha256 = known;
        }
        return known;
    }

    @Override
    public void identify(String knownSha256) {
        sha256 = knownSha256;
    }

    /** Of the configuration, of names and places of all stored tensors, and of the beginning, the middle and the end of each. */
    @Override
    public String sampleHash() {
        ContentHash hash = new ContentHash();
        hash.add(config);
        shards.tensors().values().forEach(stored -> {
            hash.add(stored.tensor().toString().getBytes(StandardCharsets.UTF_8));
            hash.addSamples(shards.data(stored));
        });
        return hash.hex();
    }

    @Override
    public List<String> warnings() {
        return model.warnings().stream().map(warning -> "%s: %s".formatted(files.config(), warning)).toList();
    }

    @Override
    public void close() {
        shards.close();
    }
}
