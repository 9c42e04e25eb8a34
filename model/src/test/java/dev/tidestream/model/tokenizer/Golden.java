package dev.tidestream.model.tokenizer;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

import dev.tidestream.model.SharedData;
import dev.tidestream.model.gguf.GgufFile;
import dev.tidestream.model.tokenizer.gguf.GgufTokenizer;

/** Reads tokenizers and golden cases from the shared folder. */
final class Golden {
    private Golden() {}

    static Tokenizer tokenizer(String gguf) {
        return tokenizer(SharedData.path(gguf));
    }

    static Tokenizer tokenizer(Path gguf) {
        try (GgufFile file = GgufFile.open(gguf)) {
            return GgufTokenizer.tokenizer(file.metadata());
        }
    }

    static JsonNode json(Path path) {
        try {
            return new ObjectMapper().readTree(path.toFile());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static Stream<JsonNode> cases(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false);
    }

    static int[] ids(JsonNode array) {
        return cases(array).mapToInt(JsonNode::asInt).toArray();
    }

    static List<Path> list(Path folder, String glob) {
        try (Stream<Path> paths = Files.find(folder, 4, (path, _) ->
                path.getFileSystem().getPathMatcher("glob:" + glob).matches(path.getFileName()))) {
            return paths.sorted().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
