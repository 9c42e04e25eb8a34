package dev.tidestream.server.chat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;

import dev.tidestream.model.gguf.GgufMetadata;
import dev.tidestream.model.gguf.GgufValue;
import dev.tidestream.protocol.JsonInput;

/**
 * The templates of a model, as text: one, or several with names. Nothing is read yet but files.
 *
 * @param byName the texts; the plain one is called {@code default}
 */
public record ChatTemplates(Map<String, String> byName) {
    public static final String DEFAULT = "default";
    static final String TOKENIZER_CONFIG = "tokenizer_config.json";

    private static final String GGUF_KEY = "tokenizer.chat_template";
    private static final String TOOL_USE = "tool_use";
    private static final String SUFFIX = ".jinja";
    private static final long MAX_FILE_BYTES = 64 << 20; // tokenizer_config.json lists all added tokens
    private static final JsonInput JSON = new JsonInput((int) MAX_FILE_BYTES, 100, 4_000_000, 65_536);

    public ChatTemplates {
        byName = Map.copyOf(byName);
    }

    /** Those of a GGUF file: {@code tokenizer.chat_template} and {@code tokenizer.chat_template.NAME}. */
    public static ChatTemplates of(GgufMetadata metadata) {
        Map<String, String> texts = new LinkedHashMap<>();
        metadata.findString(GGUF_KEY).ifPresent(text -> texts.put(DEFAULT, text));
        for (String key : metadata.keys()) {
            if (key.startsWith(GGUF_KEY + ".")) {
                texts.put(key.substring(GGUF_KEY.length() + 1), metadata.string(key));
            }
        }
        return new ChatTemplates(texts);
    }

    /** Puts them where {@link #of} finds them, and the list of names that llama.cpp's converter writes beside named ones. */
    public void putInto(Map<String, GgufValue> metadata) {
        SortedMap<String, String> named = new TreeMap<>(byName);
        String plain = named.remove(DEFAULT);
        if (!named.isEmpty()) {
            metadata.put(GGUF_KEY + "s", GgufValue.ArrayValue.ofStrings(List.copyOf(named.keySet())));
        }
        named.forEach((name, text) -> metadata.put(GGUF_KEY + "." + name, new GgufValue.StringValue(text)));
        if (plain != null) {
            metadata.put(GGUF_KEY, new GgufValue.StringValue(plain));
        }
    }

    /**
     * Those of a folder of Hugging Face, later ones first: {@code chat_template.jinja} with {@code additional_chat_templates/NAME.jinja},
     * {@code chat_template.json}, {@code tokenizer_config.json} (a text, or a list of {@code name} and {@code template}).
     *
     * @throws IOException if one of the files cannot be read, or is not what it should be
     */
    public static ChatTemplates ofFolder(Path folder) throws IOException {
        Map<String, String> texts = new LinkedHashMap<>();
        for (String name : new String[] {TOKENIZER_CONFIG, "chat_template.json"}) {
            Path file = folder.resolve(name);
            if (Files.exists(file)) {
                add(texts, json(file).path("chat_template"), file);
            }
        }
        Path plain = folder.resolve("chat_template" + SUFFIX);
        if (Files.exists(plain)) {
            texts.put(DEFAULT, text(plain));
        }
        Path more = folder.resolve("additional_chat_templates");
        if (Files.isDirectory(more)) {
            try (Stream<Path> files = Files.list(more)) {
                for (Path file : files.filter(path -> path.getFileName().toString().endsWith(SUFFIX)).sorted().toList()) {
                    String name = file.getFileName().toString();
                    texts.put(name.substring(0, name.length() - SUFFIX.length()), text(file));
                }
            }
        }
        return new ChatTemplates(texts);
    }

    /**
     * The one template in a file ({@code --chat-template}).
     *
     * @throws IOException if it cannot be read or is too large
     */
    public static ChatTemplates ofFile(Path file) throws IOException {
        return new ChatTemplates(Map.of(DEFAULT, text(file)));
    }

    private static void add(Map<String, String> texts, JsonNode templates, Path file) throws IOException {
        if (templates.isTextual()) {
            texts.put(DEFAULT, templates.textValue());
        } else if (templates.isArray()) {
            for (JsonNode one : templates) {
                if (!one.path("name").isTextual() || !one.path("template").isTextual()) {
                    throw new IOException(file + ": chat_template has an element without name or template");
                }
                texts.put(one.path("name").textValue(), one.path("template").textValue());
            }
        } else if (!templates.isMissingNode() && !templates.isNull()) {
            throw new IOException(file + ": chat_template is neither a text nor a list");
        }
    }

    static JsonNode json(Path file) throws IOException {
        try {
            JsonNode tree = JSON.tree(text(file));
            if (!tree.isObject()) {
                throw new IOException(file + ": not a JSON object");
            }
            return tree;
        } catch (JsonProcessingException e) {
            throw new IOException(file + ": " + e.getOriginalMessage(), e);
        }
    }

    private static String text(Path file) throws IOException {
        long bytes = Files.size(file);
        if (bytes > MAX_FILE_BYTES) {
            throw new IOException(file + ": too large: bytes=" + bytes + ", limit=" + MAX_FILE_BYTES);
        }
        return Files.readString(file);
    }

    /** Whether the model has none. */
    public boolean isEmpty() {
        return byName.isEmpty();
    }

    /** The text for a conversation: with tools the one called {@code tool_use} if there is one, else {@code default}, or the only one. */
    public Optional<String> choose(boolean tools) {
        if (tools && byName.containsKey(TOOL_USE)) {
            return Optional.of(byName.get(TOOL_USE));
        }
        if (byName.size() == 1) {
            return byName.values().stream().findFirst();
        }
        return Optional.ofNullable(byName.get(DEFAULT));
    }
}
