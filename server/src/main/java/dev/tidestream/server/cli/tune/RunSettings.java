package dev.tidestream.server.cli.tune;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Collectors;

import com.fasterxml.jackson.core.JsonGenerator;

import dev.tidestream.model.tuning.Target;
import dev.tidestream.model.tuning.Trained;

/**
 * All that decides the weights of a run.
 *
 * @param model sample hash of the model's files
 * @param data SHA-256 of the tokens
 * @param trained what is trained
 * @param context tokens of a block
 * @param batch blocks of a step
 * @param steps of the whole run
 * @param warmup steps until the learning rate is reached
 * @param heldOut share of the blocks
 */
record RunSettings(
        String model, String data, Trained trained, int context, int batch, int steps, double learningRate, int warmup, double heldOut,
        long seed) {

    /** By name, as text: what is written beside weights, and compared when a run is resumed. */
    Map<String, String> words() {
        Map<String, String> words = new LinkedHashMap<>();
        words.put("model", model);
        words.put("data", data);
        words.put("targets", new TreeSet<>(trained.targets()).stream().map(Target::word).collect(Collectors.joining(",")));
        words.put("rank", String.valueOf(trained.rank()));
        words.put("alpha", String.valueOf(trained.alpha()));
        words.put("rows", trained.rows().stream().map(String::valueOf).collect(Collectors.joining(",")));
        words.put("context", String.valueOf(context));
        words.put("batch", String.valueOf(batch));
        words.put("steps", String.valueOf(steps));
        words.put("learning_rate", String.valueOf(learningRate));
        words.put("warmup", String.valueOf(warmup));
        words.put("held_out", String.valueOf(heldOut));
        words.put("seed", String.valueOf(seed));
        return words;
    }

    /** Writes them as fields of an object. */
    void write(JsonGenerator json) throws IOException {
        for (Map.Entry<String, String> word : words().entrySet()) {
            json.writeStringField(word.getKey(), word.getValue());
        }
    }
}
