package dev.tidestream.server.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

import dev.tidestream.console.StandardInput;
import dev.tidestream.server.cli.options.ComputeOptions;
import dev.tidestream.server.cli.options.ModelOption;
import dev.tidestream.server.cli.terminal.Check;
import dev.tidestream.server.cli.terminal.CliException;

/** The options of {@code eval}. */
@Command(
        name = "eval",
        description = {
            "Compute the perplexity of a text, and its standard error.",
            "",
            "The text is cut into windows of --context tokens, each computed for itself. If the model wants BOS, it takes the place of a"
                    + " window's first token. Without --stride, windows lie side by side, and of each the tokens behind the first half"
                    + " count: context / 2 + 1 to context - 1, from 0. With --stride S, windows begin S tokens apart, and the last S"
                    + " tokens of each count. What is left behind the last window is not looked at. llama.cpp's perplexity tool counts"
                    + " the same tokens (and adds half of its --ppl-stride to the context).",
        },
        sortOptions = false,
        footer = {
            "",
            "Examples:",
            "  tidestream eval -m model.gguf --file text.txt",
            "  tidestream eval -m model.gguf --file text.txt --activations f32 --kv-type f32      exact",
            "  tidestream eval -m model.gguf --file text.txt --context 1024 --stride 512 --json   one JSON object",
        })
abstract class EvalOptions {
    /** Tokens of a window, if the model has as many. */
    static final int DEFAULT_CONTEXT = 512;

    private static final Path STANDARD_INPUT = Path.of("-");

    @Mixin
    final ModelOption model = new ModelOption();

    @Option(names = {"-f", "--file"}, paramLabel = "FILE", required = true,
            description = "The text, in UTF-8; - stands for standard input.")
    private Path file = STANDARD_INPUT;

    private int context; // 0 if not given
    private int stride; // 0 for none

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    CommandSpec spec;

    @Option(names = "--context", paramLabel = "N",
            description = "Tokens of a window (default: 512, or the model's context if that is shorter).")
    void setContext(int value) {
        context = Check.range(spec, "--context", value, 2, Integer.MAX_VALUE);
    }

    @Option(names = "--stride", paramLabel = "N",
            description = "Tokens from the beginning of a window to that of the next (default: windows lie side by side).")
    void setStride(int value) {
        stride = Check.range(spec, "--stride", value, 1, Integer.MAX_VALUE);
    }

    @Option(names = "--json", fallbackValue = "true", description = "Print one JSON object.")
    boolean json;

    @Mixin
    final ComputeOptions compute = new ComputeOptions();

    /** Tokens of a window; 0 if nobody said. */
    int context() {
        return context;
    }

    /** Tokens between two windows; 0 for none. */
    int stride() {
        return stride;
    }

    /** What the text is called in messages. */
    String fileName() {
        return file.equals(STANDARD_INPUT) ? "standard input" : String.valueOf(file.getFileName());
    }

    /** The text. */
    String text() {
        try {
            return file.equals(STANDARD_INPUT) ? StandardInput.text() : Files.readString(file);
        } catch (CharacterCodingException e) {
            throw new CliException(file + " is not UTF-8");
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file, e);
        }
    }
}
