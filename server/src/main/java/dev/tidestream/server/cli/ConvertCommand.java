package dev.tidestream.server.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

import dev.tidestream.console.Printable;
import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.gguf.ModelSource;
import dev.tidestream.model.quantisation.ChangedMatrix;
import dev.tidestream.model.quantisation.GgufConversion;
import dev.tidestream.model.quantisation.WeightFormats;
import dev.tidestream.model.tokenizer.Tokenizer;
import dev.tidestream.model.transformer.ModelLoader;
import dev.tidestream.server.app.ModelFiles;
import dev.tidestream.server.app.ServerConfig;
import dev.tidestream.server.cli.options.FormatConverter;
import dev.tidestream.server.cli.terminal.ByteSize;
import dev.tidestream.server.cli.terminal.ChangedMatrices;
import dev.tidestream.server.cli.terminal.Check;
import dev.tidestream.server.cli.terminal.CliException;
import dev.tidestream.server.cli.terminal.JsonText;
import dev.tidestream.server.cli.terminal.Progress;
import dev.tidestream.server.engine.KernelWorkers;

/** {@code convert}: a model in another format, as one GGUF file. */
@Command(
        name = "convert",
        description = {
            "Write a model as one GGUF file, its matrices in another format.",
            "",
            "Norms, biases, learned positions and ternary layers stay; the head is q6_k if --to has fewer bits. A tied model stays tied. A"
                    + " matrix whose rows are no whole number of blocks takes another format: q5_0 for q4_k, q5_1 for q5_k, q8_0 for q6_k,"
                    + " iq4_nl for q2_k and q3_k, q4_0 for ternary ones, else f16. The result has the bits that --weights gives.",
        },
        sortOptions = false,
        footer = {
            "",
            "Examples:",
            "  tidestream convert --to q8_0 model-f16.gguf model-q8_0.gguf",
            "  tidestream convert --to q4_k --head-format q8_0 model-folder model-q4_k.gguf",
            "  tidestream convert --to q4_0 --force --json model-folder model.gguf   one JSON object",
        })
final class ConvertCommand implements Callable<Integer> {
    private static final int MAX_THREADS = 1024;

    @Option(names = "--to", paramLabel = "FORMAT", required = true, converter = FormatConverter.class,
            description = "The format of matrices: q8_0, q4_0, q4_k, q6_k, f16, …")
    private TensorFormat to = TensorFormat.Q8_0;

    @Option(names = "--head-format", paramLabel = "FORMAT", converter = FormatConverter.class,
            description = "The format of the output head, and so of the embedding if it is tied.")
    private @Nullable TensorFormat head;

    @Parameters(index = "0", paramLabel = "SOURCE", description = "The model: a GGUF file or a Hugging Face folder.")
    private Path from = Path.of("");

    @Parameters(index = "1", paramLabel = "FILE", description = "The GGUF file to write.")
    private Path out = Path.of("");

    @Option(names = "--force", fallbackValue = "true", description = "Replace the file if there is one.")
    private boolean force;

    @Option(names = "--json", fallbackValue = "true", description = "Print one JSON object.")
    private boolean json;

    private int threads = ServerConfig.Compute.DEFAULT.threads();

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Option(names = {"-t", "--threads"}, paramLabel = "N",
            description = "Threads that encode (default: one per core); the file does not depend on it.")
    void setThreads(int value) {
        threads = Check.range(spec, "--threads", value, 1, MAX_THREADS);
    }

    @Override
    public Integer call() {
        if (!force && Files.exists(out, LinkOption.NOFOLLOW_LINKS)) {
            throw exists();
        }
        try (ModelSource source = ModelFiles.open(from); KernelWorkers workers = new KernelWorkers(threads)) {
            ModelLoader loader = new ModelLoader(source);
            loader.check();
            if (ModelFiles.hasTokenizer(source)) {
                Tokenizer _ = ModelFiles.tokenizer(source);
            } else {
                warn("%s has no tokenizer: the file has none, and only logits of token ids can be computed with it"
                        .formatted(from));
            }
            WeightFormats formats = new WeightFormats(Optional.of(to), Optional.ofNullable(head));
            GgufConversion conversion = new GgufConversion(
                    source, formats, ModelFiles.otherMetadata(source, loader.blueprint().vocabularySize(), this::warn));
            List<ChangedMatrix> changed;
            long[] done = {0};
            try (Progress progress = Progress.onTerminal(
                    spec.commandLine().getErr(), "converting " + from.getFileName(), conversion.fileBytes())) {
                changed = conversion.write(out, force, workers, bytes -> {
                    progress.advance(bytes - done[0]);
                    done[0] = bytes;
                });
            }
            print(conversion.fileBytes(), changed);
        } catch (FileAlreadyExistsException e) {
            throw exists();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write " + out, e);
        }
        return 0;
    }

    private void warn(String text) {
        PrintWriter err = spec.commandLine().getErr();
        err.println("tidestream: warning: " + Printable.line(text));
        err.flush();
    }

    private CliException exists() {
        return new CliException(out + " is there already: --force replaces it");
    }

    private void print(long bytes, List<ChangedMatrix> changed) {
        PrintWriter out = spec.commandLine().getOut();
        if (json) {
            out.println(JsonText.object(json -> {
                json.writeStringField("file", this.out.toString());
                json.writeNumberField("bytes", bytes);
                ChangedMatrices.write(json, changed);
            }));
        } else {
            out.printf(Locale.ROOT, "%s: %,d bytes (%s)%n", Printable.line(this.out.toString()), bytes, new ByteSize(bytes));
            if (!changed.isEmpty()) {
                out.println();
                ChangedMatrices.print(changed, out);
            }
        }
        out.flush();
    }
}
