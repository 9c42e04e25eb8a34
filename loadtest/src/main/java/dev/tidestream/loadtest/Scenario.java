package dev.tidestream.loadtest;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

import dev.tidestream.console.Reasons;
import dev.tidestream.protocol.JsonInput;

/**
 * A command line kept in a file: {@code {"description": […], "takes": "…", "arguments": ["--concurrency 4", …]}},
 * and optionally {@code "server"}, arguments of a server that {@code --spawn} starts.
 *
 * @param arguments as on a command line; each line of the file is cut at spaces
 */
record Scenario(String name, String description, List<String> arguments) {
    private static final String OPTION = "--scenario";

    /** @throws LoadFailedException if there is none, or it is of no use */
    static Scenario load(Path home, String name) throws LoadFailedException {
        Path file = name.endsWith(".json") ? Path.of(name) : home.resolve("loadtest/scenarios/" + name + ".json");
        try {
            JsonNode json = new ObjectMapper(JsonInput.unboundedFactory()).readTree(Files.readString(file));
            List<String> arguments = new ArrayList<>();
            for (JsonNode line : json.path("arguments")) {
                arguments.addAll(List.of(line.asText().split(" +")));
            }
            if (json.path("server").isTextual()) {
                arguments.addAll(List.of("--spawn-args", json.path("server").asText()));
            }
            List<String> description = new ArrayList<>();
            json.path("description").forEach(line -> description.add(line.asText()));
            return new Scenario(name, String.join(" ", description), arguments);
        } catch (IOException e) {
            throw new LoadFailedException("scenario cannot be read: %s: %s".formatted(file, reason(e)), e);
        }
    }

    private static String reason(IOException e) {
        return e instanceof JsonProcessingException json ? json.getOriginalMessage() : Reasons.of(e);
    }

    /**
     * A command line with that of the scenario it names.
     *
     * @param question what the scenario asks; empty without one
     */
    record Expanded(List<String> arguments, String question) {
        Expanded {
            arguments = List.copyOf(arguments);
        }
    }

    /** The arguments with those of the scenario they name in front of them, so that they win. */
    static Expanded expand(Path home, List<String> args) throws LoadFailedException {
        List<String> given = new ArrayList<>(args);
        if (!given.isEmpty() && given.getFirst().equals("smoke")) {
            given.set(0, OPTION + "=smoke");
        }
        for (int i = 0; i < given.size(); i++) {
            String arg = given.get(i);
            String name = arg.startsWith(OPTION + "=") ? arg.substring(OPTION.length() + 1)
                    : arg.equals(OPTION) && i + 1 < given.size() ? given.get(i + 1) : null;
            if (name != null) {
                Scenario scenario = load(home, name);
                List<String> all = new ArrayList<>(scenario.arguments());
                all.addAll(given);
                return new Expanded(all, scenario.description());
            }
        }
        return new Expanded(given, "");
    }
}
