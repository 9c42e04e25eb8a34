package dev.tidestream.server.huggingface;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.TreeMap;

import com.fasterxml.jackson.databind.JsonNode;

import dev.tidestream.model.architecture.ModelException;
import dev.tidestream.model.gguf.GgufException;
import dev.tidestream.server.safetensors.SafetensorsException;
import dev.tidestream.server.safetensors.SafetensorsFile;

/**
 * The safetensors files of a model: one, or several that an index lists. The index and the files agree to the tensor, or all are
 * refused. Immutable until closed; any thread.
 */
final class Shards implements AutoCloseable {
    private static final String MAP = "weight_map";
    private static final int MOST_NAME_CHARS = 255; // of a file

    private final List<Shard> files;
    private final SequencedMap<String, Stored> tensors = new LinkedHashMap<>();

    /** One file. */
    private record Shard(Path path, FileTime modified, SafetensorsFile file) {}

    /**
     * A tensor in one of the files.
     *
     * @param shard from 0 on
     */
    record Stored(int shard, SafetensorsFile.Tensor tensor) {
        String name() {
            return tensor.name();
        }

        List<Long> shape() {
            return tensor.shape();
        }
    }

    private Shards(List<Shard> files) {
        this.files = files;
        for (int i = 0; i < files.size(); i++) {
            Shard shard = files.get(i);
            for (SafetensorsFile.Tensor tensor : shard.file.tensors().values()) {
                Stored other = tensors.put(tensor.name(), new Stored(i, tensor));
                if (other != null) {
                    throw new ModelException("%s: tensor %s is in %s, too".formatted(
                            shard.path, GgufException.quote(tensor.name()), files.get(other.shard).path));
                }
            }
        }
    }

    /**
     * Maps the files and reads their headers.
     *
     * @param weights a safetensors file, or an index
     * @throws ModelException if one is missing or no valid safetensors file, or if index and files differ
     */
    static Shards open(Path weights) {
        boolean single = weights.toString().endsWith(".safetensors");
        Map<String, String> index = single ? Map.of() : index(weights);
        List<Path> paths = single ? List.of(weights) : paths(weights, index);
        List<Shard> files = new ArrayList<>();
        boolean done = false;
        try {
            for (Path path : paths) {
                files.add(open(path, weights));
            }
            Shards shards = new Shards(List.copyOf(files));
            if (!single) {
                shards.requireAll(weights, index);
            }
            done = true;
            return shards;
        } finally {
            if (!done) {
                files.forEach(shard -> shard.file.close());
            }
        }
    }

    /** Names of tensors, and of the files that have them. */
    static Map<String, String> index(Path path) {
        JsonNode map = FolderFiles.json(path).path(MAP);
        if (!map.isObject() || map.isEmpty()) {
            throw new ModelException("%s: %s is missing, or lists nothing".formatted(path, MAP));
        }
        Map<String, String> index = new LinkedHashMap<>();
        for (Map.Entry<String, JsonNode> entry : map.properties()) {
            String file = entry.getValue().asText();
            boolean plain = entry.getValue().isTextual() && isPlain(file);
            if (!plain) { // a file beside the index, and no other
                throw new ModelException("%s: %s: %s is not the name of a safetensors file beside it: %s"
                        .formatted(path, MAP, GgufException.quote(entry.getKey()), GgufException.quote(entry.getValue().toString())));
            }
            index.put(entry.getKey(), file);
        }
        return index;
    }

    /** A file beside the index on any system, and one that every system can name. */
    private static boolean isPlain(String file) {
        return file.length() <= MOST_NAME_CHARS && file.endsWith(".safetensors") && !file.startsWith(".")
                && file.chars().noneMatch(c -> c == '/' || c == '\\' || c == ':' || c < ' ' || c == 0x7F
                        || Character.isSurrogate((char) c));
    }

    private static List<Path> paths(Path weights, Map<String, String> index) {
        Map<String, Path> paths = new TreeMap<>();
        index.values().forEach(file -> paths.computeIfAbsent(file, weights::resolveSibling));
        return List.copyOf(paths.values());
    }

    private static Shard open(Path path, Path listedIn) {
        if (!Files.exists(path)) {
            throw new ModelException(path.equals(listedIn) ? path + ": no such file"
                    : "%s: a file of weights is missing: %s".formatted(listedIn, path));
        }
        if (!Files.isRegularFile(path)) {
            throw new ModelException("%s: a directory or device, not a safetensors file".formatted(path));
        }
        try {
            return new Shard(path, Files.getLastModifiedTime(path), SafetensorsFile.open(path.toRealPath())); // links of the hub's cache
        } catch (SafetensorsException e) {
            if (e.reason() == SafetensorsException.Reason.UNREADABLE && e.getCause() instanceof IOException cause) {
                throw new UncheckedIOException("%s: cannot be read".formatted(path), cause);
            }
            throw new ModelException("%s: %s".formatted(path, e.getMessage()));
        } catch (IOException e) {
            throw new UncheckedIOException("%s: cannot be read".formatted(path), e);
        }
    }

    private void requireAll(Path weights, Map<String, String> index) {
        index.forEach((name, file) -> {
            Stored stored = tensors.get(name);
            if (stored == null || !files.get(stored.shard).path.equals(weights.resolveSibling(file))) {
                throw new ModelException("%s: lists tensor %s in %s, which has none of this name"
                        .formatted(weights, GgufException.quote(name), GgufException.quote(file)));
            }
        });
        tensors.forEach((name, stored) -> {
            if (!index.containsKey(name)) {
                throw new ModelException("%s: tensor %s is not listed in %s".formatted(
                        files.get(stored.shard).path, GgufException.quote(name), weights.getFileName()));
            }
        });
    }

    List<Path> paths() {
        return files.stream().map(Shard::path).toList();
    }

    FileTime modified() {
        return files.stream().map(Shard::modified).max(FileTime::compareTo).orElseThrow();
    }

    /** All tensors by name, file after file. */
    SequencedMap<String, Stored> tensors() {
        return tensors;
    }

    Optional<Stored> find(String name) {
        return Optional.ofNullable(tensors.get(name));
    }

    /** The bytes of a tensor, mapped; of any alignment. */
    MemorySegment data(Stored stored) {
        return files.get(stored.shard).file.data(stored.tensor);
    }

    /** All bytes of the files, mapped, in order. */
    List<MemorySegment> images() {
        return files.stream().map(shard -> shard.file.image()).toList();
    }

    /** Unmaps the files. A second call does nothing. */
    @Override
    public void close() {
        files.forEach(shard -> shard.file.close());
    }
}
