package dev.tidestream.server.cli.tune;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.JsonNode;

import dev.tidestream.console.Printable;
import dev.tidestream.model.tuning.Adam;
import dev.tidestream.model.tuning.Parameter;
import dev.tidestream.model.tuning.TuningModel;
import dev.tidestream.protocol.JsonInput;
import dev.tidestream.server.cli.terminal.CliException;
import dev.tidestream.server.safetensors.SafetensorsException;
import dev.tidestream.server.safetensors.SafetensorsFile;
import dev.tidestream.server.safetensors.SafetensorsWriter;

/**
 * The checkpoints of a run, the newest two:
 *
 * <pre>
 * step-000100/
 *   adapter_config.json, adapter_model.safetensors   if there are adapters
 *   rows.safetensors                                 if rows are trained
 *   optimizer.safetensors                            Adam's moments
 *   tuning.json                                      step, and settings of the run
 * </pre>
 *
 * A checkpoint gets its name when all of it is written, so there is none that is half there.
 */
final class RunDirectory {
    private static final Pattern NAME = Pattern.compile("step-(\\d{6,9})");
    private static final String OPTIMIZER = "optimizer.safetensors";
    private static final String RUN = "tuning.json";
    private static final String STEP = "step";
    private static final int KEPT = 2;
    private static final int MAX_CHARS = 16 << 20; // of the rows, mostly
    private static final JsonInput JSON = new JsonInput(MAX_CHARS, 2, 100, 100);

    private final Path directory;

    /** Makes it, if it is not there. */
    RunDirectory(Path directory) throws IOException {
        this.directory = Files.createDirectories(directory);
    }

    /** The newest checkpoint, if there is one. */
    Optional<Path> newest() throws IOException {
        return checkpoints().stream().findFirst();
    }

    private List<Path> checkpoints() throws IOException {
        try (Stream<Path> entries = Files.list(directory)) {
            return entries.filter(path -> NAME.matcher(path.getFileName().toString()).matches())
                    .sorted(Comparator.comparingInt(RunDirectory::step).reversed()).toList();
        }
    }

    private static int step(Path checkpoint) {
        return Integer.parseInt(checkpoint.getFileName().toString().substring("step-".length()));
    }

    /** Writes a checkpoint, and removes the oldest if there are too many. */
    Path save(int step, TuningModel model, Adam adam, RunSettings settings) throws IOException {
        Path target = directory.resolve(String.format(Locale.ROOT, "step-%06d", step));
        Path made = Files.createTempDirectory(directory, ".unfinished");
        AdapterFiles.write(made, model, settings.trained());
        SafetensorsWriter moments = new SafetensorsWriter();
        for (Parameter parameter : model.parameters()) {
            moments.add(parameter.name() + ".m", AdapterFiles.shape(parameter), adam.firstMoment(parameter));
            moments.add(parameter.name() + ".v", AdapterFiles.shape(parameter), adam.secondMoment(parameter));
        }
        moments.write(made.resolve(OPTIMIZER));
        try (JsonGenerator json = new JsonFactory().createGenerator(Files.newBufferedWriter(made.resolve(RUN))).useDefaultPrettyPrinter()) {
            json.writeStartObject();
            json.writeNumberField(STEP, step);
            settings.write(json);
            json.writeEndObject();
        }
        if (Files.exists(target)) {
            delete(target);
        }
        Files.move(made, target, StandardCopyOption.ATOMIC_MOVE);
        for (Path old : checkpoints().stream().skip(KEPT).toList()) {
            delete(old);
        }
        return target;
    }

    /** Goes on where a checkpoint was made. Returns its step. */
    static int load(Path checkpoint, TuningModel model, Adam adam, RunSettings settings) throws IOException, SafetensorsException {
        JsonNode run = JSON.tree(Files.readString(checkpoint.resolve(RUN)));
        for (Map.Entry<String, String> word : settings.words().entrySet()) {
            String before = run.path(word.getKey()).asText();
            if (!before.equals(word.getValue())) {
                throw new CliException("--resume: the run has another %s: checkpoint=%s, now=%s"
                        .formatted(word.getKey(), shown(before), shown(word.getValue())));
            }
        }
        AdapterFiles.read(checkpoint, model);
        try (SafetensorsFile file = SafetensorsFile.open(checkpoint.resolve(OPTIMIZER).toRealPath())) {
            for (Parameter parameter : model.parameters()) {
                int length = parameter.values().length;
                System.arraycopy(Floats.read(file, parameter.name() + ".m", length), 0, adam.firstMoment(parameter), 0, length);
                System.arraycopy(Floats.read(file, parameter.name() + ".v", length), 0, adam.secondMoment(parameter), 0, length);
            }
        }
        return run.path(STEP).asInt();
    }

    private static String shown(String value) {
        return Printable.quoted(value, 100);
    }

    private static void delete(Path checkpoint) throws IOException {
        try (Stream<Path> files = Files.list(checkpoint)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        Files.delete(checkpoint);
    }
}
