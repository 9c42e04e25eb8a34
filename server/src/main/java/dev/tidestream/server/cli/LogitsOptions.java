package dev.tidestream.server.cli;

import java.nio.file.Path;
import java.util.List;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

import dev.tidestream.server.cli.options.ComputeOptions;
import dev.tidestream.server.cli.options.ModelOption;
import dev.tidestream.server.cli.terminal.Check;

/** The options of {@code logits}. */
@Command(
        name = "logits",
        description = "Write the logits of all positions of a token sequence: little-endian float32, [n, vocab].",
        sortOptions = false,
        footer = {
            "",
            "Examples:",
            "  tidestream logits -m model.gguf --tokens 1,2,3 --out logits.f32",
            "  tidestream logits -m model.gguf --tokens 1,2,3 --out exact.f32 --activations f32 --kv-type f32",
        })
abstract class LogitsOptions {
    @Mixin
    final ModelOption model = new ModelOption();

    private int[] tokens = {};

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    CommandSpec spec;

    @Option(names = "--tokens", paramLabel = "ID", split = ",", required = true, description = "The token ids.")
    void setTokens(List<Integer> values) {
        tokens = values.stream().mapToInt(value -> Check.range(spec, "--tokens", value, 0, Integer.MAX_VALUE)).toArray();
    }

    @Option(names = {"-o", "--out"}, paramLabel = "FILE", required = true, description = "The file to write.")
    Path out = Path.of("");

    @Mixin
    final ComputeOptions compute = new ComputeOptions();

    /** Token ids {@code (n)}. */
    int[] tokens() {
        return tokens.clone();
    }
}
