package dev.tidestream.server.cli.bench;

import java.util.List;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

import dev.tidestream.server.cli.options.ComputeOptions;
import dev.tidestream.server.cli.options.ModelOption;
import dev.tidestream.server.cli.terminal.Check;

/** The options of {@code bench}. */
@Command(
        name = "bench",
        description = "Measure tokens per second: prefill of a prompt, and decoding in batches.",
        sortOptions = false,
        footer = {
            "",
            "Examples:",
            "  tidestream bench -m model.gguf",
            "  tidestream bench -m model.gguf --batch 1,4,16 --threads 2 --json",
            "",
            "With --json one object per line:",
            "  {\"test\":\"prefill\"|\"decode\",\"batch\":B,\"tokens\":N,\"tokens_per_s\":median,\"min\":..,\"max\":..,",
            "   \"activations\":..,\"head_activations\":what the head takes: f32 if it is not quantised}",
        })
abstract class BenchOptions {
    private static final int MAX_BATCH = 1024;

    @Mixin
    final ModelOption model = new ModelOption();

    private int promptTokens;
    private int genTokens;
    private int repeat;
    private List<Integer> batches = List.of();

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    CommandSpec spec;

    @Option(names = "--prompt-tokens", paramLabel = "N", defaultValue = "128",
            description = "Length of the prompt (default: ${DEFAULT-VALUE}).")
    void setPromptTokens(int value) {
        promptTokens = Check.range(spec, "--prompt-tokens", value, 1, Integer.MAX_VALUE);
    }

    @Option(names = "--gen-tokens", paramLabel = "N", defaultValue = "32",
            description = "Tokens to decode per sequence (default: ${DEFAULT-VALUE}).")
    void setGenTokens(int value) {
        genTokens = Check.range(spec, "--gen-tokens", value, 1, Integer.MAX_VALUE);
    }

    @Option(names = "--batch", paramLabel = "B", split = ",", defaultValue = "1,4,16",
            description = "Sequences that are decoded together (default: ${DEFAULT-VALUE}).")
    void setBatches(List<Integer> values) {
        values.forEach(value -> Check.range(spec, "--batch", value, 1, MAX_BATCH));
        batches = List.copyOf(values);
    }

    @Option(names = "--repeat", paramLabel = "N", defaultValue = "3",
            description = "Runs of each test; the median counts (default: ${DEFAULT-VALUE}).")
    void setRepeat(int value) {
        repeat = Check.range(spec, "--repeat", value, 1, Integer.MAX_VALUE);
    }

    @Mixin
    final ComputeOptions compute = new ComputeOptions();

    @Option(names = "--json", fallbackValue = "true", description = "Print one JSON object per line.")
    boolean json;

    int promptTokens() {
        return promptTokens;
    }

    int genTokens() {
        return genTokens;
    }

    int repeat() {
        return repeat;
    }

    List<Integer> batches() {
        return batches;
    }
}
