package dev.tidestream.server.cli.bench;

import java.io.PrintWriter;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

import dev.tidestream.console.Printable;
import dev.tidestream.model.adapter.Adapter;
import dev.tidestream.model.gguf.ModelSource;
import dev.tidestream.model.tensor.memory.PageArena;
import dev.tidestream.model.transformer.KvCache;
import dev.tidestream.model.transformer.KvCaches;
import dev.tidestream.model.transformer.LanguageModel;
import dev.tidestream.model.transformer.LanguageModel.LogitsRows;
import dev.tidestream.model.transformer.LanguageModel.Slice;
import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.server.app.ModelRuntime;
import dev.tidestream.server.bench.RandomAdapters;
import dev.tidestream.server.cli.options.ComputeOptions;
import dev.tidestream.server.cli.options.ModelOption;
import dev.tidestream.server.cli.terminal.Check;
import dev.tidestream.server.cli.terminal.JsonText;
import dev.tidestream.server.engine.KernelWorkers;

/** {@code bench adapters}: what adapters cost streams that are computed together. */
@Command(
        name = "adapters",
        sortOptions = false,
        description = {
            "Measures prompts and decoding of streams that share steps, without and with adapters.",
            "",
            "Adapters are random, of the given rank, and change every matrix of every layer; streams take turns in having them. Each round"
                    + " measures all counts, one after the other, so that whatever else the machine does hits all alike.",
        },
        footer = {
            "",
            "Examples:",
            "  tidestream bench adapters -m model.gguf",
            "  tidestream bench adapters -m model.gguf --adapters 0,1,4,16 --rank 64 --repeat 5 --json",
            "",
            "With --json one object per line:",
            "  {\"test\":\"prefill\"|\"decode\",\"adapters\":A,\"streams\":S,\"rank\":R,\"tokens\":N,\"tokens_per_s\":median,",
            "   \"min\":..,\"max\":..,\"adapter_bytes\":of one}",
        })
final class BenchAdaptersCommand implements Callable<Integer> {
    private static final long SEED = 1;
    private static final int MAX_STREAMS = 1024;
    private static final int MAX_RANK = 4096;
    private static final double NS_PER_S = 1e9;

    @Mixin
    private final ModelOption model = new ModelOption();

    private List<Integer> counts = List.of();
    private int streams;
    private int rank;
    private int promptTokens;
    private int genTokens;
    private int repeat;

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Option(names = "--adapters", paramLabel = "N", split = ",", defaultValue = "0,1,4",
            description = "How many adapters the streams have among them (default: ${DEFAULT-VALUE}).")
    void setCounts(List<Integer> values) {
        values.forEach(value -> Check.range(spec, "--adapters", value, 0, MAX_STREAMS));
        counts = List.copyOf(values);
    }

    @Option(names = "--streams", paramLabel = "N", defaultValue = "16", description = "Streams (default: ${DEFAULT-VALUE}).")
    void setStreams(int value) {
        streams = Check.range(spec, "--streams", value, 1, MAX_STREAMS);
    }

    @Option(names = "--rank", paramLabel = "N", defaultValue = "16", description = "Rank of each change (default: ${DEFAULT-VALUE}).")
    void setRank(int value) {
        rank = Check.range(spec, "--rank", value, 1, MAX_RANK);
    }

    @Option(names = "--prompt-tokens", paramLabel = "N", defaultValue = "64",
            description = "Length of each prompt (default: ${DEFAULT-VALUE}).")
    void setPromptTokens(int value) {
        promptTokens = Check.range(spec, "--prompt-tokens", value, 1, Integer.MAX_VALUE);
    }

    @Option(names = "--gen-tokens", paramLabel = "N", defaultValue = "32",
            description = "Tokens to decode per stream (default: ${DEFAULT-VALUE}).")
    void setGenTokens(int value) {
        genTokens = Check.range(spec, "--gen-tokens", value, 1, Integer.MAX_VALUE);
    }

    @Option(names = "--repeat", paramLabel = "N", defaultValue = "3",
            description = "Rounds; the median counts (default: ${DEFAULT-VALUE}).")
    void setRepeat(int value) {
        repeat = Check.range(spec, "--repeat", value, 1, Integer.MAX_VALUE);
    }

    @Mixin
    private final ComputeOptions compute = new ComputeOptions();

    @Option(names = "--json", fallbackValue = "true", description = "Print one JSON object per line.")
    private boolean json;

    /** What was measured with some adapters, a number for each round. */
    private record Measured(int adapters, double[] prefill, double[] decode) {}

    @Override
    public Integer call() {
        List<Adapter> adapters = new ArrayList<>();
        try (ModelSource file = model.open();
                KernelWorkers workers = new KernelWorkers(compute.config().threads());
                LoadedModel loaded = compute.load(file, workers)) {
            LanguageModel transformer = loaded.newTransformer(
                    workers, compute.config().precision(), Math.max(streams, ModelRuntime.MAX_ROWS));
            if (promptTokens + genTokens > transformer.contextLength()) {
                throw new ParameterException(spec.commandLine(), "prompt and generated tokens exceed the context: %d + %d > %d"
                        .formatted(promptTokens, genTokens, transformer.contextLength()));
            }
            for (int i = 0; i < Collections.max(counts); i++) {
                adapters.add(RandomAdapters.adapter(loaded.plan(), rank, SEED + i));
            }
            print(loaded, adapters, measure(transformer, adapters));
        } finally {
            adapters.forEach(Adapter::close);
        }
        return 0;
    }

    private List<Measured> measure(LanguageModel transformer, List<Adapter> adapters) {
        List<Measured> all = counts.stream().map(count -> new Measured(count, new double[repeat], new double[repeat])).toList();
        for (int round = -1; round < repeat; round++) { // round -1 warms up
            for (Measured one : all) {
                double[] seconds = run(transformer, adapters.subList(0, one.adapters()));
                if (round >= 0) {
                    one.prefill()[round] = (double) streams * promptTokens / seconds[0];
                    one.decode()[round] = (double) streams * genTokens / seconds[1];
                }
            }
        }
        return all;
    }

    /** Seconds of prompts, and of decoding. */
    private double[] run(LanguageModel transformer, List<Adapter> adapters) {
        try (Arena arena = new PageArena()) {
            List<KvCache> caches = new ArrayList<>();
            for (int i = 0; i < streams; i++) {
                caches.add(KvCaches.cache(transformer, promptTokens + genTokens, arena));
            }
            SplittableRandom random = new SplittableRandom(SEED);
            float[] logits = new float[streams * transformer.vocabularySize()];
            long startNs = System.nanoTime();
            prefill(transformer, caches, adapters, random, logits);
            long midNs = System.nanoTime();
            decode(transformer, caches, adapters, random, logits);
            return new double[] {(midNs - startNs) / NS_PER_S, (System.nanoTime() - midNs) / NS_PER_S};
        }
    }

    private static @Nullable Adapter of(List<Adapter> adapters, int stream) {
        return adapters.isEmpty() ? null : adapters.get(stream % adapters.size());
    }

    private void prefill(LanguageModel transformer, List<KvCache> caches, List<Adapter> adapters, SplittableRandom random, float[] logits) {
        for (int i = 0; i < caches.size(); i++) {
            int[] prompt = random.ints(promptTokens, 0, transformer.vocabularySize()).toArray();
            for (int from = 0; from < promptTokens; from += transformer.maxRows()) {
                int count = Math.min(transformer.maxRows(), promptTokens - from);
                LogitsRows rows = from + count == promptTokens ? LogitsRows.LAST : LogitsRows.NONE;
                transformer.forward(List.of(new Slice(caches.get(i), prompt, from, count, rows, of(adapters, i))), logits);
            }
        }
    }

    private void decode(LanguageModel transformer, List<KvCache> caches, List<Adapter> adapters, SplittableRandom random, float[] logits) {
        for (int step = 0; step < genTokens; step++) {
            List<Slice> slices = new ArrayList<>(caches.size());
            for (int i = 0; i < caches.size(); i++) {
                int[] token = {random.nextInt(transformer.vocabularySize())};
                slices.add(new Slice(caches.get(i), token, 0, 1, LogitsRows.LAST, of(adapters, i)));
            }
            transformer.forward(slices, logits);
        }
    }

    private static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        int n = sorted.length;
        return (sorted[(n - 1) / 2] + sorted[n / 2]) / 2;
    }

    private void print(LoadedModel loaded, List<Adapter> adapters, List<Measured> all) {
        PrintWriter out = spec.commandLine().getOut();
        long bytes = adapters.isEmpty() ? 0 : adapters.getFirst().bytes();
        if (!json) {
            out.printf(Locale.ROOT, "%s, %,d bytes of weights, %s%n%d streams, adapters of rank %d, %,d bytes each%n",
                    Printable.line(loaded.blueprint().name()), loaded.weights().bytes(), compute.config(), streams, rank, bytes);
            out.printf("%-8s %8s %8s %12s %12s %12s %8s%n", "TEST", "ADAPTERS", "TOKENS", "TOKENS/S", "MIN", "MAX", "OF FIRST");
        }
        for (Measured one : all) {
            print(out, "prefill", one.adapters(), streams * promptTokens, one.prefill(), median(all.getFirst().prefill()), bytes);
        }
        for (Measured one : all) {
            print(out, "decode", one.adapters(), streams * genTokens, one.decode(), median(all.getFirst().decode()), bytes);
        }
        out.flush();
    }

    private void print(PrintWriter out, String test, int adapters, int tokens, double[] perSecond, double first, long bytes) {
        double min = Arrays.stream(perSecond).min().orElseThrow();
        double max = Arrays.stream(perSecond).max().orElseThrow();
        if (!json) {
            out.printf(Locale.ROOT, "%-8s %8d %8d %12.2f %12.2f %12.2f %7.1f%%%n",
                    test, adapters, tokens, median(perSecond), min, max, 100 * median(perSecond) / first);
            return;
        }
        out.println(JsonText.object(fields -> {
            fields.writeStringField("test", test);
            fields.writeNumberField("adapters", adapters);
            fields.writeNumberField("streams", streams);
            fields.writeNumberField("rank", rank);
            fields.writeNumberField("tokens", tokens);
            fields.writeNumberField("tokens_per_s", median(perSecond));
            fields.writeNumberField("min", min);
            fields.writeNumberField("max", max);
            fields.writeNumberField("adapter_bytes", bytes);
        }));
    }
}
