package dev.tidestream.loadtest.plan;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.JsonInput;

/** Conversations kept in a file. */
public record PromptFile(List<Entry> entries) {
    public PromptFile {
        entries = List.copyOf(entries);
    }

    /**
     * One conversation.
     *
     * @param maxTokens of each answer; 0 if it does not say
     */
    public record Entry(List<Turn> turns, int maxTokens) {
        public Entry {
            turns = List.copyOf(turns);
        }
    }

    /** Whether any of it is token ids. */
    public boolean hasTokens() {
        return entries.stream().flatMap(entry -> entry.turns().stream()).anyMatch(turn -> turn.tokens() != null);
    }

    /** What the user says; exactly one of both is present. */
    public record Turn(@Nullable String text, int @Nullable [] tokens) {}

    /**
     * Each line is one JSON object: with {@code prompt} (string), {@code tokens} (integers) or {@code turns} (strings), and
     * optionally {@code max_tokens}; or of ShareGPT, {@code {"conversations":[{"from":"human","value":"…"},…]}}, whose human
     * turns count. A file that is one JSON array of such objects is read as well.
     *
     * @throws IOException if it cannot be read
     * @throws IllegalArgumentException if an entry is none of these, or there is none
     */
    public static PromptFile read(Path file) throws IOException {
        List<Entry> entries = new ArrayList<>();
        for (JsonNode node : nodes(file)) {
            List<Turn> turns = turns(node);
            if (turns.isEmpty()) {
                throw new IllegalArgumentException("%s: entry %d has no prompt, tokens, turns, or human turn in conversations"
                        .formatted(file, entries.size() + 1));
            }
            entries.add(new Entry(turns, Math.max(0, node.path("max_tokens").asInt(0))));
        }
        if (entries.isEmpty()) {
            throw new IllegalArgumentException(file + ": no prompts");
        }
        return new PromptFile(entries);
    }

    private static List<JsonNode> nodes(Path file) throws IOException {
        ObjectMapper json = new ObjectMapper(JsonInput.unboundedFactory());
        String content = Files.readString(file, StandardCharsets.UTF_8).strip();
        List<JsonNode> nodes = new ArrayList<>();
        try {
            if (content.startsWith("[")) {
                json.readTree(content).forEach(nodes::add);
            } else {
                for (String line : content.lines().filter(l -> !l.isBlank()).toList()) {
                    nodes.add(json.readTree(line));
                }
            }
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("%s: entry %d is not JSON: %s".formatted(file, nodes.size() + 1,
                    e.getOriginalMessage()), e);
        }
        return nodes;
    }

    private static List<Turn> turns(JsonNode node) {
        List<Turn> turns = new ArrayList<>();
        if (node.path("prompt").isTextual()) {
            turns.add(new Turn(node.path("prompt").asText(), null));
        } else if (node.path("tokens").isArray()) {
            int[] tokens = new int[node.path("tokens").size()];
            for (int i = 0; i < tokens.length; i++) {
                tokens[i] = node.path("tokens").get(i).asInt();
            }
            turns.add(new Turn(null, tokens));
        } else if (node.path("turns").isArray()) {
            node.path("turns").forEach(turn -> turns.add(new Turn(turn.asText(), null)));
        } else {
            for (JsonNode turn : node.path("conversations")) {
                String from = turn.path("from").asText();
                if ((from.equals("human") || from.equals("user")) && turn.path("value").isTextual()) {
                    turns.add(new Turn(turn.path("value").asText(), null));
                }
            }
        }
        return turns;
    }
}
