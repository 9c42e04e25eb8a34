package dev.tidestream.server.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.math.BigInteger;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;

import com.fasterxml.jackson.core.JsonGenerator;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

import dev.tidestream.console.Printable;
import dev.tidestream.model.gguf.GgufFile;
import dev.tidestream.model.gguf.GgufTensor;
import dev.tidestream.model.gguf.GgufValue;
import dev.tidestream.model.gguf.GgufValueType;
import dev.tidestream.model.gguf.ModelSource;
import dev.tidestream.model.quantisation.ChangedMatrix;
import dev.tidestream.model.tokenizer.Tokenizer;
import dev.tidestream.model.transformer.ModelLoader;
import dev.tidestream.server.app.ModelFiles;
import dev.tidestream.server.app.ServerConfig;
import dev.tidestream.server.app.StartListener;
import dev.tidestream.server.cli.options.FormatOptions;
import dev.tidestream.server.cli.options.ModelOption;
import dev.tidestream.server.cli.terminal.ByteSize;
import dev.tidestream.server.cli.terminal.ChangedMatrices;
import dev.tidestream.server.cli.terminal.JsonText;
import dev.tidestream.server.cli.terminal.Table;
import dev.tidestream.server.cli.terminal.TerminalStart;
import dev.tidestream.server.engine.KernelWorkers;

/**
 * {@code inspect}: what is in a GGUF file or a Hugging Face folder, and whether it is a model that can be served. A model that is
 * refused is shown all the same; the reason, in the words of {@code serve}, is the error of the command.
 */
@Command(
        name = "inspect",
        description = "Show the metadata and the tensors of a GGUF file or a Hugging Face folder, and say why, if it is a model that cannot"
                + " be served.",
        footer = {
            "",
            "Examples:",
            "  tidestream inspect                   the embedded starter model",
            "  tidestream inspect model.gguf        as a table",
            "  tidestream inspect --json model.gguf one JSON object, arrays in full",
            "  tidestream inspect --weights q4_k model.gguf   with what each matrix would lose",
        })
final class InspectCommand implements Callable<Integer> {
    private static final String ARCHITECTURE = "general.architecture";
    private static final int VALUE_CHARS = 72;
    private static final int SHOWN_ELEMENTS = 3;

    @Parameters(index = "0", arity = "0..1", paramLabel = "FILE", description = "A GGUF file or a Hugging Face folder, as with --model.")
    private @Nullable Path file;

    @Mixin
    private final ModelOption model = new ModelOption();

    @Mixin
    private final FormatOptions formats = new FormatOptions();

    @Option(names = "--json", fallbackValue = "true",
            description = "Print one JSON object: file, parts, format, version, bytes, parameters, model, metadata, tensors, and what --weights would change.")
    private boolean json;

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Override
    public Integer call() {
        if (file != null && model.path() != null) {
            throw new ParameterException(spec.commandLine(), "give FILE or --model, not both");
        }
        PrintWriter out = spec.commandLine().getOut();
        try (ModelSource gguf = file == null ? model.open() : ModelFiles.open(file)) {
            RuntimeException refusal = null;
            Map<String, String> words = new LinkedHashMap<>();
            List<ChangedMatrix> changed = List.of();
            try {
                look(gguf, words);
                changed = changed(gguf);
            } catch (RuntimeException e) { // said once the file's contents are there to be looked at
                refusal = e;
            }
            if (json) {
                out.println(json(gguf, words, changed));
            } else {
                printTables(gguf, words, out);
                if (!changed.isEmpty()) {
                    out.println();
                    ChangedMatrices.print(changed, out);
                }
            }
            out.flush();
            if (refusal != null) {
                throw refusal;
            }
        }
        return 0;
    }

    /**
     * Looks whether this is a model that can be run.
     *
     * @param words what it is in plain words, if it is one; nothing is added if the file is no model
     */
    private void look(ModelSource gguf, Map<String, String> words) {
        if (!isModel(gguf)) {
            return;
        }
        ModelLoader loader = new ModelLoader(gguf, formats.formats());
        loader.check();
        words.putAll(loader.words());
        if (!loader.warnings().isEmpty()) {
            words.put("warning", String.join("; ", loader.warnings()));
        }
        words.put("tokenizer", tokenizer(ModelFiles.tokenizer(gguf), loader.blueprint().vocabularySize()));
    }

    private static String tokenizer(Tokenizer tokenizer, int rows) {
        int tokens = Math.min(tokenizer.usedTokens(), rows);
        int[] front = tokenizer.encodePrompt("", false);
        return "%d tokens%s%s".formatted(tokens, tokens < rows ? ", and %d rows of padding".formatted(rows - tokens) : "",
                front.length == 0 ? "" : ", %s in front of a text".formatted(tokenizer.tokenText(front[0])));
    }

    /** What the formats that were asked for do to the weights: all of them are brought into them, which may take a while. */
    private List<ChangedMatrix> changed(ModelSource gguf) {
        if (!isModel(gguf) || formats.formats().asTheyAre()) {
            return List.of();
        }
        try (KernelWorkers workers = new KernelWorkers(ServerConfig.Compute.DEFAULT.threads());
                StartListener.Loading progress = new TerminalStart(spec.commandLine().getErr()).loading(gguf.path())) {
            return new ModelLoader(gguf, formats.formats()).measure(workers, progress);
        }
    }

    /** A vocabulary alone, or a file of something else, is none. */
    private static boolean isModel(ModelSource gguf) {
        return gguf.metadata().contains(ARCHITECTURE) && !gguf.tensors().isEmpty();
    }

    private static long parameters(ModelSource gguf) {
        return gguf.tensors().values().stream().mapToLong(GgufTensor::elements).sum();
    }

    private static void printTables(ModelSource gguf, Map<String, String> words, PrintWriter out) {
        int parts = gguf.parts().size();
        out.printf(Locale.ROOT, "%s%s: %s, %,d bytes (%s), %d keys, %d tensors, %,d parameters%s%n%n",
                Printable.line(gguf.path().toString()), parts > 1 ? " and " + (parts - 1) + " more" : "", gguf.format(), gguf.fileBytes(),
                new ByteSize(gguf.fileBytes()), gguf.metadata().keys().size(), gguf.tensors().size(), parameters(gguf),
                types(gguf));
        words.forEach((about, line) -> out.printf("%s: %s%n", about, Printable.line(line)));
        if (!words.isEmpty()) {
            out.println();
        }
        Table metadata = new Table("KEY", "TYPE", "VALUE");
        for (String key : gguf.metadata().keys()) {
            GgufValue value = gguf.metadata().value(key);
            metadata.row(Printable.value(key, VALUE_CHARS), type(value), shown(value));
        }
        metadata.print(out);
        if (gguf.tensors().isEmpty()) {
            return;
        }
        out.println();
        boolean split = gguf.parts().size() > 1;
        Table tensors = new Table("TENSOR", "TYPE", ">SHAPE", split ? ">PART: OFFSET" : ">OFFSET", ">BYTES");
        for (GgufTensor tensor : gguf.tensors().values()) {
            tensors.row(Printable.value(tensor.name(), VALUE_CHARS), tensor.type(),
                    tensor.dimensions().stream().map(String::valueOf).collect(Collectors.joining(" x ")),
                    (split ? gguf.part(tensor) + 1 + ": " : "") + tensor.offsetBytes(), tensor.bytes());
        }
        tensors.print(out);
    }

    private static String types(ModelSource gguf) {
        return gguf.tensors().isEmpty() ? "" : " (" + ModelFiles.tensorTypes(gguf) + ")";
    }

    private static String type(GgufValue value) {
        return value instanceof GgufValue.ArrayValue array ? array.toString() : value.type().label();
    }

    private static String shown(GgufValue value) {
        return switch (value) {
            case GgufValue.StringValue(String text) -> Printable.value(text, VALUE_CHARS);
            case GgufValue.ArrayValue array -> {
                List<GgufValue> first = array.first(SHOWN_ELEMENTS);
                String shown = first.stream().map(InspectCommand::element).collect(Collectors.joining(", "));
                yield "[" + shown + (array.count() > first.size() ? ", …]" : "]");
            }
            case GgufValue.IntegerValue integer -> integer.toString();
            case GgufValue.FloatValue number -> number.toString();
            case GgufValue.BoolValue bool -> bool.toString();
        };
    }

    private static String element(GgufValue value) {
        return value instanceof GgufValue.StringValue(String text) ? Printable.quoted(text, VALUE_CHARS / 3) : value.toString();
    }

    private static String json(ModelSource gguf, Map<String, String> words, List<ChangedMatrix> changed) {
        return JsonText.object(json -> {
            json.writeStringField("file", gguf.path().toString());
            json.writeNumberField("parts", gguf.parts().size());
            json.writeStringField("format", gguf.format());
            if (gguf instanceof GgufFile file) {
                json.writeNumberField("version", file.version());
            }
            json.writeNumberField("bytes", gguf.fileBytes());
            json.writeNumberField("parameters", parameters(gguf));
            json.writeObjectFieldStart("model");
            for (Map.Entry<String, String> line : words.entrySet()) {
                json.writeStringField(line.getKey().replace(' ', '_').replace('-', '_'), line.getValue());
            }
            json.writeEndObject();
            json.writeObjectFieldStart("metadata");
            for (String key : gguf.metadata().keys()) {
                json.writeFieldName(key);
                write(json, gguf.metadata().value(key));
            }
            json.writeEndObject();
            json.writeArrayFieldStart("tensors");
            for (GgufTensor tensor : gguf.tensors().values()) {
                json.writeStartObject();
                json.writeStringField("name", tensor.name());
                json.writeStringField("type", tensor.type().name());
                json.writeFieldName("shape");
                json.writeArray(tensor.dimensions().stream().mapToLong(Long::longValue).toArray(), 0, tensor.dimensions().size());
                json.writeNumberField("part", gguf.part(tensor) + 1);
                json.writeNumberField("offset", tensor.offsetBytes());
                json.writeNumberField("bytes", tensor.bytes());
                json.writeEndObject();
            }
            json.writeEndArray();
            if (!changed.isEmpty()) {
                ChangedMatrices.write(json, changed);
            }
        });
    }

    private static void write(JsonGenerator json, GgufValue value) throws IOException {
        switch (value) {
            case GgufValue.StringValue(String text) -> json.writeString(text);
            case GgufValue.BoolValue(boolean bool) -> json.writeBoolean(bool);
            case GgufValue.FloatValue(GgufValueType type, double number) -> {
                if (type == GgufValueType.F32) {
                    json.writeNumber((float) number);
                } else {
                    json.writeNumber(number);
                }
            }
            case GgufValue.IntegerValue integer -> json.writeNumber(new BigInteger(integer.toString()));
            case GgufValue.ArrayValue array -> {
                json.writeStartArray();
                for (GgufValue element : array.first(array.count())) {
                    write(json, element);
                }
                json.writeEndArray();
            }
        }
    }
}
