package dev.tidestream.server.cli.tune;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;

import dev.tidestream.model.tuning.EmbeddingRows;
import dev.tidestream.model.tuning.Parameter;
import dev.tidestream.model.tuning.Target;
import dev.tidestream.model.tuning.Trained;
import dev.tidestream.model.tuning.TuningModel;
import dev.tidestream.server.safetensors.SafetensorsException;
import dev.tidestream.server.safetensors.SafetensorsFile;
import dev.tidestream.server.safetensors.SafetensorsWriter;

/**
 * What was trained, as others read it: adapters in the format of Hugging Face's PEFT, rows of the embedding as the admin channel takes
 * them from a file.
 *
 * <p>GGUF files of this family have the rows of queries and keys in another order than Hugging Face's models: of each head, row
 * {@code 2 i + j} is row {@code j * headDim / 2 + i} there. So the B of an adapter on these is reordered on its way out, and back.
 */
final class AdapterFiles {
    static final String ADAPTER = "adapter_model.safetensors";
    static final String ROWS = "rows.safetensors";

    private static final String CONFIG = "adapter_config.json";
    private static final String PREFIX = "base_model.model.";

    private AdapterFiles() {}

    /** Writes what was trained into a directory. */
    static void write(Path directory, TuningModel model, Trained trained) throws IOException {
        if (!trained.targets().isEmpty()) {
            SafetensorsWriter adapter = new SafetensorsWriter();
            for (Parameter parameter : adapters(model)) {
                adapter.add(PREFIX + parameter.name(), shape(parameter), floats(reordered(parameter, model, true)));
            }
            adapter.write(directory.resolve(ADAPTER));
            writeConfig(directory.resolve(CONFIG), model.blueprint().name(), trained);
        }
        if (model.rows().isPresent()) {
            EmbeddingRows rows = model.rows().get();
            new SafetensorsWriter()
                    .add(rows.values().name() + ".rows", List.of((long) rows.tokens().length), rows.tokens())
                    .add(rows.values().name(), shape(rows.values()), floats(rows.values().values()))
                    .write(directory.resolve(ROWS));
        }
    }

    /** Reads the values of all parameters back. */
    static void read(Path directory, TuningModel model) throws IOException, SafetensorsException {
        List<Parameter> adapters = adapters(model);
        if (!adapters.isEmpty()) {
            try (SafetensorsFile file = SafetensorsFile.open(directory.resolve(ADAPTER).toRealPath())) {
                for (Parameter parameter : adapters) {
                    widen(Floats.read(file, PREFIX + parameter.name(), parameter.values().length), parameter.values());
                    System.arraycopy(reordered(parameter, model, false), 0, parameter.values(), 0, parameter.values().length);
                }
            }
        }
        if (model.rows().isPresent()) {
            Parameter rows = model.rows().get().values();
            try (SafetensorsFile file = SafetensorsFile.open(directory.resolve(ROWS).toRealPath())) {
                widen(Floats.read(file, rows.name(), rows.values().length), rows.values());
            }
        }
        model.changed();
    }

    private static List<Parameter> adapters(TuningModel model) {
        return model.adapted().stream().flatMap(tensor -> List.of(tensor.lowRank().a(), tensor.lowRank().b()).stream()).toList();
    }

    static List<Long> shape(Parameter parameter) {
        return List.of((long) parameter.rows(), (long) parameter.columns());
    }

    private static double[] reordered(Parameter parameter, TuningModel model, boolean out) {
        boolean rotated = parameter.name().endsWith("q_proj.lora_B.weight") || parameter.name().endsWith("k_proj.lora_B.weight");
        if (!rotated) {
            return parameter.values();
        }
        int headDim = model.blueprint().layers().getFirst().attention().headDim();
        double[] other = new double[parameter.values().length];
        for (int row = 0; row < parameter.rows(); row++) {
            int inHead = row % headDim;
            int there = row - inHead + inHead % 2 * (headDim / 2) + inHead / 2;
            int columns = parameter.columns();
            System.arraycopy(parameter.values(), (out ? row : there) * columns, other, (out ? there : row) * columns, columns);
        }
        return other;
    }

    private static void writeConfig(Path file, String model, Trained trained) throws IOException {
        try (JsonGenerator json = new JsonFactory().createGenerator(Files.newBufferedWriter(file)).useDefaultPrettyPrinter()) {
            json.writeStartObject();
            json.writeStringField("peft_type", "LORA");
            json.writeStringField("task_type", "CAUSAL_LM");
            json.writeStringField("base_model_name_or_path", model);
            json.writeNumberField("r", trained.rank());
            json.writeNumberField("lora_alpha", trained.alpha());
            json.writeNumberField("lora_dropout", 0.0);
            json.writeBooleanField("use_rslora", false);
            json.writeBooleanField("use_dora", false);
            json.writeBooleanField("fan_in_fan_out", false);
            json.writeBooleanField("inference_mode", true);
            json.writeStringField("bias", "none");
            json.writeArrayFieldStart("target_modules");
            Set<Target> targets = new TreeSet<>(trained.targets());
            for (Target target : targets) {
                json.writeString(target.word());
            }
            json.writeEndArray();
            json.writeEndObject();
        }
    }

    static float[] floats(double[] values) {
        float[] floats = new float[values.length];
        for (int i = 0; i < floats.length; i++) {
            floats[i] = (float) values[i];
        }
        return floats;
    }

    private static void widen(float[] from, double[] to) {
        for (int i = 0; i < to.length; i++) {
            to[i] = from[i];
        }
    }
}
