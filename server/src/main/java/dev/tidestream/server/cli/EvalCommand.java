package dev.tidestream.server.cli;

import java.io.PrintWriter;
import java.util.Locale;
import java.util.OptionalInt;
import java.util.concurrent.Callable;

import picocli.CommandLine.Command;
import picocli.CommandLine.ParameterException;

import dev.tidestream.model.evaluation.Perplexity;
import dev.tidestream.model.evaluation.Windows;
import dev.tidestream.model.gguf.ModelSource;
import dev.tidestream.model.tokenizer.Tokenizer;
import dev.tidestream.model.transformer.LanguageModel;
import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.model.transformer.Precision;
import dev.tidestream.server.app.ModelFiles;
import dev.tidestream.server.cli.terminal.CliException;
import dev.tidestream.server.cli.terminal.JsonText;
import dev.tidestream.server.cli.terminal.Progress;
import dev.tidestream.server.engine.KernelWorkers;

/** {@code eval}: how well a model predicts a text. */
@Command(name = "eval") // picocli wants the name of a subcommand on its own class; the rest is inherited
final class EvalCommand extends EvalOptions implements Callable<Integer> {
    private static final int MOST_ROWS = 256;
    private static final int LEAST_ROWS = 16;
    private static final int LOGITS = 1 << 24; // of a pass: 64 MiB

    @Override
    public Integer call() {
        String text = text();
        try (ModelSource file = model.open(); KernelWorkers workers = new KernelWorkers(compute.config().threads())) {
            Tokenizer tokenizer = ModelFiles.tokenizer(file);
            int[] tokens = tokenizer.encodePrompt(text, false);
            int[] front = tokenizer.encodePrompt("", false);
            try (LoadedModel loaded = compute.load(file, workers)) {
                Windows windows = windows(loaded.blueprint().contextLength());
                if (windows.count(tokens.length) == 0) {
                    throw new CliException(("%s is shorter than a window: tokens=%d, context=%d:"
                            + " give a longer text or less --context").formatted(fileName(), tokens.length, windows.context()));
                }
                int rows = Math.clamp(LOGITS / loaded.blueprint().vocabularySize(), LEAST_ROWS, MOST_ROWS);
                LanguageModel transformer = loaded.newTransformer(workers, compute.config().precision(), rows);
                int vocabulary = Math.min(tokenizer.usedTokens(), transformer.vocabularySize());
                Perplexity perplexity = new Perplexity(transformer, vocabulary,
                        front.length == 0 ? OptionalInt.empty() : OptionalInt.of(front[0]), windows, workers);
                long total = (long) windows.count(tokens.length) * (windows.context() - 1);
                Perplexity.Result result;
                try (Progress progress = Progress.onTerminal(spec.commandLine().getErr(), "perplexity of " + fileName(), total)) {
                    result = perplexity.of(tokens, progress::advance);
                }
                print(result, windows, tokens.length);
            }
        }
        return 0;
    }

    private Windows windows(int contextLength) {
        if (context() > contextLength) {
            throw new ParameterException(spec.commandLine(), "--context is longer than the model's: tokens=%d, context=%d"
                    .formatted(context(), contextLength));
        }
        int window = context() == 0 ? Math.min(DEFAULT_CONTEXT, contextLength) : context();
        if (stride() >= window) {
            throw new ParameterException(spec.commandLine(), "--stride must be less than a window: stride=%d, context=%d"
                    .formatted(stride(), window));
        }
        if (stride() == 0 && window < Windows.LEAST_CONTEXT) {
            throw new ParameterException(spec.commandLine(), "a window needs at least %d tokens, or --stride: context=%d"
                    .formatted(Windows.LEAST_CONTEXT, window));
        }
        return new Windows(window, stride());
    }

    private void print(Perplexity.Result result, Windows windows, int tokens) {
        if (!Double.isFinite(result.perplexity())) {
            throw new CliException("the model's logits are not finite, or give a token no chance at all: mean loss "
                    + result.meanNegativeLogLikelihood());
        }
        PrintWriter out = spec.commandLine().getOut();
        if (json) {
            Precision precision = compute.config().precision();
            out.println(JsonText.object(json -> {
                json.writeNumberField("perplexity", result.perplexity());
                json.writeNumberField("standard_error", result.standardError());
                json.writeNumberField("mean_negative_log_likelihood", result.meanNegativeLogLikelihood());
                json.writeNumberField("tokens", tokens);
                json.writeNumberField("counted", result.counted());
                json.writeNumberField("windows", result.windows());
                json.writeNumberField("context", windows.context());
                json.writeNumberField("stride", windows.stride());
                json.writeStringField("activations", precision.body().wireName());
                json.writeStringField("head_activations", precision.head().wireName());
                json.writeStringField("kv_type", precision.kvType().name().toLowerCase(Locale.ROOT));
            }));
        } else {
            out.printf(Locale.ROOT, "perplexity %.4f +/- %.4f%n", result.perplexity(), result.standardError());
            out.printf(Locale.ROOT, "tokens %d, counted %d, windows %d of %d%s%n", tokens, result.counted(), result.windows(),
                    windows.context(), windows.stride() == 0 ? "" : ", stride " + windows.stride());
        }
        out.flush();
    }
}
