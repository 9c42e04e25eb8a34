package dev.tidestream.server.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

import dev.tidestream.protocol.SamplingOptions;
import dev.tidestream.protocol.WeightsPolicy;
import dev.tidestream.server.cli.options.ComputeOptions;
import dev.tidestream.server.cli.options.ModelOption;
import dev.tidestream.server.cli.options.PromptOption;
import dev.tidestream.server.cli.terminal.Check;
import dev.tidestream.server.engine.GenerateRequest;

/** The options of {@code generate}, and the request they make. */
@Command(
        name = "generate",
        description = "Continue a text, and print it as it is made.",
        sortOptions = false,
        footer = {
            "",
            "Examples:",
            "  tidestream generate \"Once upon a time\" --max-tokens 60",
            "  tidestream generate < story.txt                                  the text is on standard input",
            "  tidestream generate -m model.gguf \"The fox\" --temperature 0      greedy: always the same",
            "  tidestream generate --prompt \"-- so it began\" --seed 7 --json    one JSON object",
        })
abstract class GenerateOptions {
    private static final float MAX_TEMPERATURE = 100f;
    private static final float MAX_PENALTY = 100f;
    private static final int NO_LOGPROBS = -1;

    @Mixin
    final ModelOption model = new ModelOption();

    @Mixin
    final PromptOption prompt = new PromptOption();

    @Option(names = "--parse-special", fallbackValue = "true",
            description = "Take names of control tokens in the prompt, such as <|im_start|>, for those tokens"
                    + "; also --special (default: they are text).")
    boolean parseSpecial;

    @Option(names = "--special", fallbackValue = "true", hidden = true)
    void setSpecial(boolean value) {
        parseSpecial |= value;
    }

    private int maxTokens;
    private float temperature;
    private int topK;
    private float topP;
    private float minP;
    private float repetitionPenalty;
    private float presencePenalty;
    private float frequencyPenalty;
    private final List<String> stop = new ArrayList<>();

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    CommandSpec spec;

    @Option(names = {"-n", "--max-tokens"}, paramLabel = "N", defaultValue = "128",
            description = "Most tokens to generate (default: ${DEFAULT-VALUE}).")
    void setMaxTokens(int value) {
        maxTokens = Check.range(spec, "--max-tokens", value, 1, Integer.MAX_VALUE);
    }

    @Option(names = "--temperature", paramLabel = "X", defaultValue = "0.7",
            description = "0 always takes the most likely token; more is more varied (default: ${DEFAULT-VALUE}).")
    void setTemperature(float value) {
        temperature = Check.range(spec, "--temperature", value, 0f, MAX_TEMPERATURE);
    }

    @Option(names = "--seed", paramLabel = "S", description = "The same seed gives the same text (default: a new one each time).")
    @Nullable Long seed;

    @Option(names = "--top-k", paramLabel = "K", defaultValue = "40",
            description = "Choose among the K most likely tokens; 0: all (default: ${DEFAULT-VALUE}).")
    void setTopK(int value) {
        topK = Check.range(spec, "--top-k", value, 0, Integer.MAX_VALUE);
    }

    @Option(names = "--top-p", paramLabel = "P", defaultValue = "1",
            description = "Choose among the most likely tokens that together reach P (default: ${DEFAULT-VALUE}).")
    void setTopP(float value) {
        topP = Check.range(spec, "--top-p", value, Float.MIN_VALUE, 1f);
    }

    @Option(names = "--min-p", paramLabel = "P", defaultValue = "0",
            description = "Drop tokens less than P times as likely as the most likely one (default: ${DEFAULT-VALUE}).")
    void setMinP(float value) {
        minP = Check.range(spec, "--min-p", value, 0f, 1f);
    }

    @Option(names = "--repetition-penalty", paramLabel = "X", defaultValue = "1",
            description = "Above 1: make tokens seen before less likely (default: ${DEFAULT-VALUE}).")
    void setRepetitionPenalty(float value) {
        repetitionPenalty = Check.range(spec, "--repetition-penalty", value, Float.MIN_VALUE, MAX_PENALTY);
    }

    @Option(names = "--presence-penalty", paramLabel = "X", defaultValue = "0",
            description = "Taken once from the logit of each token generated before (default: ${DEFAULT-VALUE}).")
    void setPresencePenalty(float value) {
        presencePenalty = Check.range(spec, "--presence-penalty", value, -MAX_PENALTY, MAX_PENALTY);
    }

    @Option(names = "--frequency-penalty", paramLabel = "X", defaultValue = "0",
            description = "Taken as often as the token was generated before (default: ${DEFAULT-VALUE}).")
    void setFrequencyPenalty(float value) {
        frequencyPenalty = Check.range(spec, "--frequency-penalty", value, -MAX_PENALTY, MAX_PENALTY);
    }

    @Option(names = "--stop", paramLabel = "TEXT", description = "End where this text would appear; may be given more than once.")
    void setStop(List<String> values) {
        if (values.contains("")) {
            throw new ParameterException(spec.commandLine(), "--stop must not be empty");
        }
        stop.clear();
        stop.addAll(values);
    }

    @Mixin
    final ComputeOptions compute = new ComputeOptions();

    @Option(names = "--json", fallbackValue = "true",
            description = "Print one JSON object at the end: text, prompt_tokens, tokens, finish_reason, timing.")
    boolean json;

    /** Most tokens to generate, as far as the context has room. */
    int maxTokens() {
        return maxTokens;
    }

    /** What the engine is asked for. */
    GenerateRequest request() {
        SamplingOptions sampling = new SamplingOptions(temperature, topK, topP, minP, repetitionPenalty, presencePenalty,
                frequencyPenalty, Map.of(), seed == null ? OptionalLong.empty() : OptionalLong.of(seed));
        return new GenerateRequest(prompt.text(), parseSpecial, null, maxTokens, sampling, stop, NO_LOGPROBS, WeightsPolicy.PIN, this);
    }
}
