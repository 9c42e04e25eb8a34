package dev.tidestream.server.cli.tune;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;

import dev.tidestream.console.Printable;
import dev.tidestream.model.tokenizer.Tokenizer;
import dev.tidestream.protocol.JsonInput;
import dev.tidestream.server.cli.terminal.CliException;

/** Documents of a file: one in each line of JSON, or the whole file if it is a text. */
final class TrainingText {
    /** The longest file that is read. */
    static final long MAX_BYTES = 256L << 20;

    private static final int MAX_LINE_CHARS = 16 << 20;
    private static final int MAX_DEPTH = 16;
    private static final int MAX_FIELDS = 1000;
    private static final int MAX_NAME_CHARS = 1000;
    private static final int SHOWN_CHARS = 200;
    private static final String JSON_LINES = ".jsonl";
    private static final JsonInput JSON = new JsonInput(MAX_LINE_CHARS, MAX_DEPTH, MAX_FIELDS, MAX_NAME_CHARS);

    private TrainingText() {}

    /**
     * Reads documents.
     *
     * @param file UTF-8
     * @param field of each object that has the text
     */
    static List<String> read(Path file, String field) {
        try {
            if (Files.size(file) > MAX_BYTES) {
                throw new CliException("--data %s is too large: bytes=%d, limit=%d".formatted(file, Files.size(file), MAX_BYTES));
            }
            String text = Files.readString(file);
            if (!file.toString().toLowerCase(Locale.ROOT).endsWith(JSON_LINES)) {
                return List.of(text);
            }
            return documents(file, text.lines().toList(), field);
        } catch (CharacterCodingException e) {
            throw new CliException("--data %s is not UTF-8".formatted(file), e);
        } catch (IOException e) {
            throw new CliException("--data %s cannot be read: %s".formatted(file, e.getClass().getSimpleName()), e);
        }
    }

    private static List<String> documents(Path file, List<String> lines, String field) {
        List<String> documents = new ArrayList<>();
        for (int i = 0; i < lines.size(); i++) {
            if (!lines.get(i).isBlank()) {
                documents.add(document("%s, line %d".formatted(file, i + 1), lines.get(i), field));
            }
        }
        return documents;
    }

    private static String document(String place, String line, String field) {
        JsonNode object;
        try {
            object = JSON.tree(line);
        } catch (JsonProcessingException e) {
            throw new CliException("--data %s is no JSON: %s".formatted(place, Printable.value(e.getOriginalMessage(), SHOWN_CHARS)), e);
        }
        JsonNode text = object.get(field);
        if (text == null || !text.isTextual()) {
            throw new CliException("--data %s has no text in its field '%s': name another with --field"
                    .formatted(place, Printable.value(field, SHOWN_CHARS)));
        }
        return text.textValue();
    }

    /** The tokens of all documents, each as a prompt of its own. */
    static int[] tokens(List<String> documents, Tokenizer tokenizer) {
        return documents.stream().flatMapToInt(document -> IntStream.of(tokenizer.encodePrompt(document, false))).toArray();
    }
}
