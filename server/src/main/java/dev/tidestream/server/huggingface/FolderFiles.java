package dev.tidestream.server.huggingface;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;

import dev.tidestream.model.architecture.ModelException;
import dev.tidestream.model.gguf.GgufException;
import dev.tidestream.protocol.JsonInput;

/**
 * Where the files of a model are. It may be named by its folder, by its file of weights or their index, or by its folder in the hub's
 * cache: {@code models--ORG--NAME}, where {@code refs/main} names one of {@code snapshots/}.
 *
 * @param named what was asked for
 * @param folder that has {@code config.json}
 * @param weights {@code model.safetensors}, or {@code model.safetensors.index.json}
 * @param name of the model
 */
record FolderFiles(Path named, Path folder, Path weights, String name) {
    private static final String CONFIG = "config.json";
    private static final String SINGLE = "model.safetensors";
    private static final String INDEX = "model.safetensors.index.json";
    private static final String INDEX_SUFFIX = ".safetensors.index.json";
    private static final String SUFFIX = ".safetensors";
    private static final String SNAPSHOTS = "snapshots";
    private static final String HUB_PREFIX = "models--";
    private static final Pattern REVISION = Pattern.compile("[\\w.-]{1,128}");

    private static final int MAX_JSON_BYTES = 64 << 20;
    private static final int MAX_DEPTH = 32;
    private static final int MAX_FIELDS = 1_000_000;
    private static final int MAX_NAME_CHARS = 4096;
    private static final JsonInput JSON = new JsonInput(MAX_JSON_BYTES, MAX_DEPTH, MAX_FIELDS, MAX_NAME_CHARS);

    /** Whether a path is one of those that this is for, and no GGUF file. */
    static boolean isOne(Path path) {
        String name = fileName(path);
        return Files.isDirectory(path) || name.endsWith(SUFFIX) || name.endsWith(INDEX_SUFFIX);
    }

    /** @throws ModelException if files are missing; names them */
    static FolderFiles of(Path named) {
        if (!Files.isDirectory(named)) {
            return ofFile(named);
        }
        Path folder = Files.isDirectory(named.resolve(SNAPSHOTS)) && !Files.exists(named.resolve(CONFIG)) ? snapshot(named) : named;
        Path single = folder.resolve(SINGLE);
        Path index = folder.resolve(INDEX);
        if (!Files.exists(single) && !Files.exists(index)) {
            throw new ModelException("%s: a directory, not a GGUF file, and neither %s nor %s is in it".formatted(folder, SINGLE, INDEX));
        }
        return new FolderFiles(named, withConfig(folder), Files.exists(single) ? single : index, modelName(folder));
    }

    /** A file that the folder's index lists stands for all that it lists; another one for itself. */
    private static FolderFiles ofFile(Path named) {
        if (!Files.exists(named)) {
            throw new ModelException("%s: no such file".formatted(named));
        }
        Path folder = named.toAbsolutePath().getParent();
        if (folder == null) {
            throw new ModelException("%s: not a file in a folder".formatted(named));
        }
        Path index = folder.resolve(INDEX);
        String file = fileName(named);
        boolean shard = file.endsWith(SUFFIX) && Files.exists(index) && Shards.index(index).containsValue(file);
        return new FolderFiles(named, withConfig(folder), shard ? index : named, modelName(folder));
    }

    private static Path withConfig(Path folder) {
        if (!Files.exists(folder.resolve(CONFIG))) {
            throw new ModelException("%s: %s is missing".formatted(folder, CONFIG));
        }
        return folder;
    }

    /** The snapshot of a folder of the hub's cache that {@code refs/main} names, or the only one. */
    private static Path snapshot(Path hub) {
        Path snapshots = hub.resolve(SNAPSHOTS);
        Path main = hub.resolve("refs").resolve("main");
        try {
            if (Files.exists(main)) {
                String revision = text(main, MAX_NAME_CHARS).strip();
                if (!REVISION.matcher(revision).matches() || revision.startsWith(".")) {
                    throw new ModelException("%s: not the name of a snapshot: %s".formatted(main, GgufException.quote(revision)));
                }
                if (!Files.isDirectory(snapshots.resolve(revision))) {
                    throw new ModelException("%s: there is no snapshot of this name: %s".formatted(main, revision));
                }
                return snapshots.resolve(revision);
            }
            try (Stream<Path> all = Files.list(snapshots)) {
                List<Path> folders = all.filter(Files::isDirectory).sorted().toList();
                if (folders.size() != 1) {
                    throw new ModelException("%s: refs/main is missing, and there are %d snapshots: name one of them"
                            .formatted(hub, folders.size()));
                }
                return folders.getFirst();
            }
        } catch (IOException e) {
            throw new UncheckedIOException("%s: cannot be read".formatted(hub), e);
        }
    }

    private static String modelName(Path folder) {
        Path absolute = folder.toAbsolutePath().normalize();
        Optional<Path> hub = Optional.ofNullable(absolute.getParent()).filter(parent -> fileName(parent).equals(SNAPSHOTS))
                .map(Path::getParent).filter(parent -> fileName(parent).startsWith(HUB_PREFIX));
        return hub.map(parent -> fileName(parent).substring(HUB_PREFIX.length()).replace("--", "/")).orElse(fileName(absolute));
    }

    private static String fileName(Path path) {
        return String.valueOf(path.getFileName());
    }

    Path config() {
        return folder.resolve(CONFIG);
    }

    /**
     * A file that is one JSON object.
     *
     * @throws ModelException if it is not
     * @throws UncheckedIOException if the system cannot read it
     */
    static JsonNode json(Path file) {
        try {
            JsonNode tree = JSON.tree(text(file, MAX_JSON_BYTES));
            if (!tree.isObject()) {
                throw new ModelException("%s: not a JSON object".formatted(file));
            }
            return tree;
        } catch (JsonProcessingException e) {
            throw new ModelException("%s: not JSON: %s".formatted(file, e.getOriginalMessage()));
        } catch (IOException e) {
            throw new UncheckedIOException("%s: cannot be read".formatted(file), e);
        }
    }

    private static String text(Path file, int mostBytes) throws IOException {
        if (!Files.isRegularFile(file)) { // opening a pipe would wait for a writer
            throw new ModelException("%s: not a file".formatted(file));
        }
        try (InputStream in = Files.newInputStream(file)) {
            byte[] bytes = in.readNBytes(mostBytes + 1);
            if (bytes.length > mostBytes) {
                throw new ModelException("%s: too long: bytes>%d, limit=%d".formatted(file, mostBytes, mostBytes));
            }
            return new String(bytes, StandardCharsets.UTF_8);
        }
    }
}
