package dev.tidestream.server.cli.bench;

import java.io.PrintWriter;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;

import picocli.CommandLine.Command;
import picocli.CommandLine.ParameterException;

import dev.tidestream.console.Printable;
import dev.tidestream.model.gguf.ModelSource;
import dev.tidestream.model.tensor.memory.PageArena;
import dev.tidestream.model.tied.EmbeddingLayer;
import dev.tidestream.model.transformer.KvCache;
import dev.tidestream.model.transformer.KvCaches;
import dev.tidestream.model.transformer.LanguageModel;
import dev.tidestream.model.transformer.LanguageModel.LogitsRows;
import dev.tidestream.model.transformer.LanguageModel.Slice;
import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.model.transformer.Precision;
import dev.tidestream.server.app.ModelRuntime;
import dev.tidestream.server.cli.terminal.JsonText;
import dev.tidestream.server.engine.KernelWorkers;

/**
 * {@code bench}: tokens per second of the model alone, without server or sampling. Tokens are random from a fixed seed; the first
 * round of each test is not counted.
 */
// picocli wants the name of a subcommand on its own class; the rest is inherited
@Command(name = "bench", subcommands = {BenchAdaptersCommand.class, BenchClusterSimCommand.class, BenchGatewayCommand.class,
    BenchHeadCommand.class, BenchListingCommand.class, BenchUpdateCommand.class, BenchWireCommand.class})
public final class BenchCommand extends BenchOptions implements Callable<Integer> {
    private static final long SEED = 1;

    /** One line of the result. */
    private record Result(String test, int batch, int tokens, double median, double min, double max) {}

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        try (ModelSource file = model.open();
                KernelWorkers workers = new KernelWorkers(compute.config().threads());
                LoadedModel loaded = compute.load(file, workers)) {
            int largest = Collections.max(batches());
            LanguageModel transformer = loaded.newTransformer(
                    workers, compute.config().precision(), Math.max(largest, ModelRuntime.MAX_ROWS));
            if (promptTokens() + genTokens() > transformer.contextLength()) {
                throw new ParameterException(spec.commandLine(), "prompt and generated tokens exceed the context: %d + %d > %d"
                        .formatted(promptTokens(), genTokens(), transformer.contextLength()));
            }
            if (!json) {
                out.printf("%s, %,d bytes of weights, %s%n",
                        Printable.line(loaded.blueprint().name()), loaded.weights().bytes(), compute.config());
                out.printf("%-8s %6s %8s %12s %12s %12s%n", "TEST", "BATCH", "TOKENS", "TOKENS/S", "MIN", "MAX");
            }
            for (int batch : batches()) {
                for (Result result : measure(transformer, batch)) {
                    print(out, result, loaded.weights().embedding());
                }
            }
        }
        return 0;
    }

    private List<Result> measure(LanguageModel transformer, int batch) {
        double[] prefill = new double[repeat()];
        double[] decode = new double[repeat()];
        for (int round = -1; round < repeat(); round++) { // round -1 warms up
            try (Arena arena = new PageArena()) {
                List<KvCache> caches = new ArrayList<>();
                for (int i = 0; i < batch; i++) {
                    caches.add(KvCaches.cache(transformer, promptTokens() + genTokens(), arena));
                }
                SplittableRandom random = new SplittableRandom(SEED);
                float[] logits = new float[batch * transformer.vocabularySize()];
                double prefillS = prefill(transformer, caches, random, logits);
                double decodeS = decode(transformer, caches, random, logits);
                if (round >= 0) {
                    prefill[round] = (double) batch * promptTokens() / prefillS;
                    decode[round] = (double) batch * genTokens() / decodeS;
                }
            }
        }
        return List.of(
                result("prefill", batch, batch * promptTokens(), prefill), result("decode", batch, batch * genTokens(), decode));
    }

    private double prefill(LanguageModel transformer, List<KvCache> caches, SplittableRandom random, float[] logits) {
        long startNs = System.nanoTime();
        for (KvCache cache : caches) {
            int[] prompt = random.ints(promptTokens(), 0, transformer.vocabularySize()).toArray();
            for (int from = 0; from < promptTokens(); from += transformer.maxRows()) {
                int count = Math.min(transformer.maxRows(), promptTokens() - from);
                LogitsRows rows = from + count == promptTokens() ? LogitsRows.LAST : LogitsRows.NONE;
                transformer.forward(List.of(new Slice(cache, prompt, from, count, rows)), logits);
            }
        }
        return (System.nanoTime() - startNs) / 1e9;
    }

    private double decode(LanguageModel transformer, List<KvCache> caches, SplittableRandom random, float[] logits) {
        long startNs = System.nanoTime();
        for (int step = 0; step < genTokens(); step++) {
            List<Slice> slices = new ArrayList<>(caches.size());
            for (KvCache cache : caches) {
                int[] token = {random.nextInt(transformer.vocabularySize())};
                slices.add(new Slice(cache, token, 0, 1, LogitsRows.LAST));
            }
            transformer.forward(slices, logits);
        }
        return (System.nanoTime() - startNs) / 1e9;
    }

    private static Result result(String test, int batch, int tokens, double[] perSecond) {
        Arrays.sort(perSecond);
        int n = perSecond.length;
        double median = (perSecond[(n - 1) / 2] + perSecond[n / 2]) / 2;
        return new Result(test, batch, tokens, median, perSecond[0], perSecond[n - 1]);
    }

    private void print(PrintWriter out, Result r, EmbeddingLayer head) {
        if (json) {
            out.println(json(r, head));
        } else {
            out.printf("%-8s %6d %8d %12.2f %12.2f %12.2f%n", r.test(), r.batch(), r.tokens(), r.median(), r.min(), r.max());
        }
        out.flush();
    }

    private String json(Result r, EmbeddingLayer head) {
        Precision precision = compute.config().precision();
        return JsonText.object(json -> {
            json.writeStringField("test", r.test());
            json.writeNumberField("batch", r.batch());
            json.writeNumberField("tokens", r.tokens());
            json.writeNumberField("tokens_per_s", r.median());
            json.writeNumberField("min", r.min());
            json.writeNumberField("max", r.max());
            json.writeStringField("activations", precision.body().wireName());
            json.writeStringField("head_activations", precision.inHead(head, head.mode()).wireName());
        });
    }
}
