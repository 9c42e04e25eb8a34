package dev.tidestream.loadtest.plan;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

/** Prompts without end; for one caller at a time. */
public interface Workload {
    /** The prompt of the next request. */
    Prompt next(RandomGenerator random);

    /** The same text always. */
    static Workload fixed(String text, Lengths outputs) {
        return random -> Prompt.of(text, outputs.next(random));
    }

    /**
     * Token ids at random, so that a prompt has exactly the length it shall have.
     *
     * @param vocabularySize ids are below it; the first 300 (special tokens and bytes, in most models) are left out if that
     * leaves
     *     enough
     * @param sharedShare share of a prompt, from its beginning, that is the same in all prompts, in [0, 1]
     */
    static Workload tokens(Lengths prompts, Lengths outputs, int vocabularySize, double sharedShare, long seed) {
        if (!(sharedShare >= 0 && sharedShare <= 1)) {
            throw new IllegalArgumentException("the shared share must be in [0, 1]: " + sharedShare);
        }
        int lowest = vocabularySize > 1000 ? 300 : vocabularySize > 16 ? 8 : 0;
        return random -> {
            int[] tokens = new int[prompts.next(random)];
            int shared = (int) Math.round(tokens.length * sharedShare);
            RandomGenerator same = new java.util.SplittableRandom(seed);
            for (int i = 0; i < tokens.length; i++) {
                tokens[i] = (i < shared ? same : random).nextInt(lowest, vocabularySize);
            }
            return Prompt.of(tokens, outputs.next(random));
        };
    }

    /** English words at random, about one token each; for servers that take no token ids. */
    static Workload words(Lengths prompts, Lengths outputs, double sharedShare, long seed) {
        String[] words = ("the a one two little big old new red blue day night house river tree garden friend mother child"
                + " dog cat bird"
                + " boat road hill town went saw found made gave took said told played ran walked looked smiled happy sad"
                        + " kind brave"
                + " and but so then because very again").split(" ", -1);
        return random -> {
            int count = prompts.next(random);
            int shared = (int) Math.round(count * sharedShare);
            RandomGenerator same = new java.util.SplittableRandom(seed);
            StringBuilder text = new StringBuilder();
            for (int i = 0; i < count; i++) {
                text.append(i == 0 ? "" : " ").append(words[(i < shared ? same : random).nextInt(words.length)]);
            }
            return Prompt.of(text.toString(), outputs.next(random));
        };
    }

    /**
     * Prompts of a file, in turn. Each line is one JSON object with {@code prompt} (string) or {@code tokens} (integers), and
     * optionally {@code max_tokens}; or an object of ShareGPT, {@code {"conversations":[{"from":"human","value":"…"},…]}}, whose
     * first human turn counts. A file that is one JSON array of such objects is read as well.
     *
     * @param outputs for prompts that do not say
     * @throws IOException if it cannot be read
     * @throws IllegalArgumentException if a line is none of these, or there is none
     */
    static Workload file(Path file, Lengths outputs) throws IOException {
        ObjectMapper json = new ObjectMapper();
        String content = Files.readString(file, StandardCharsets.UTF_8).strip();
        List<JsonNode> entries = new ArrayList<>();
        try {
            if (content.startsWith("[")) {
                json.readTree(content).forEach(entries::add);
            } else {
                for (String line : content.lines().filter(l -> !l.isBlank()).toList()) {
                    entries.add(json.readTree(line));
                }
            }
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("%s: entry %d is not JSON: %s".formatted(file, entries.size() + 1,
                    e.getOriginalMessage()), e);
        }
        if (entries.isEmpty()) {
            throw new IllegalArgumentException(file + ": no prompts");
        }
        List<JsonNode> prompts = new ArrayList<>();
        for (JsonNode entry : entries) {
            prompts.add(checked(file, prompts.size() + 1, entry));
        }
        int[] at = {0};
        return random -> prompt(prompts.get(at[0]++ % prompts.size()), outputs, random);
    }

    private static JsonNode checked(Path file, int number, JsonNode entry) {
        if (entry.path("prompt").isTextual() || entry.path("tokens").isArray() || !firstHuman(entry).isMissingNode()) {
            return entry;
        }
        throw new IllegalArgumentException(
                "%s: entry %d has neither prompt nor tokens nor a human turn in conversations".formatted(file, number));
    }

    private static JsonNode firstHuman(JsonNode entry) {
        for (JsonNode turn : entry.path("conversations")) {
            String from = turn.path("from").asText();
            if ((from.equals("human") || from.equals("user")) && turn.path("value").isTextual()) {
                return turn.path("value");
            }
        }
        return entry.path("");
    }

    private static Prompt prompt(JsonNode entry, Lengths outputs, RandomGenerator random) {
        int maxTokens = entry.path("max_tokens").asInt(0) > 0 ? entry.path("max_tokens").asInt() : outputs.next(random);
        if (entry.path("tokens").isArray()) {
            int[] tokens = new int[entry.path("tokens").size()];
            for (int i = 0; i < tokens.length; i++) {
                tokens[i] = entry.path("tokens").get(i).asInt();
            }
            return Prompt.of(tokens, maxTokens);
        }
        JsonNode text = entry.path("prompt").isTextual() ? entry.path("prompt") : firstHuman(entry);
        return Prompt.of(text.asText(), maxTokens);
    }
}
