package dev.tidestream.server.cli.bench;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ParameterException;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;

import dev.tidestream.model.architecture.Blueprint;
import dev.tidestream.model.nd4j.Nd4jLowRankProduct;
import dev.tidestream.protocol.SamplingOptions;
import dev.tidestream.protocol.WeightsPolicy;
import dev.tidestream.server.admin.AdminDesk;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.admin.build.MemoryBudget;
import dev.tidestream.server.admin.service.AdminService;
import dev.tidestream.server.admin.service.VersionAgreement;
import dev.tidestream.server.app.AdminWiring;
import dev.tidestream.server.app.MetricsWiring;
import dev.tidestream.server.app.ModelRuntime;
import dev.tidestream.server.app.ServerConfig;
import dev.tidestream.server.app.StartListener;
import dev.tidestream.server.app.VersionStore;
import dev.tidestream.server.bench.GapFigures;
import dev.tidestream.server.bench.GapMeter;
import dev.tidestream.server.bench.TokenGaps;
import dev.tidestream.server.bench.UpdateMaker;
import dev.tidestream.server.cli.terminal.CliException;
import dev.tidestream.server.cli.terminal.JsonText;
import dev.tidestream.server.cli.terminal.Progress;
import dev.tidestream.server.cli.terminal.TerminalStart;
import dev.tidestream.server.engine.EngineConfig;
import dev.tidestream.server.engine.GenerateRequest;
import dev.tidestream.server.pacing.StepBreak;
import dev.tidestream.server.warmup.BackgroundWarmUp;

/** {@code bench update}: the time between two tokens of a stream while its weights are being changed, and while they are not. */
@Command(name = "update") // picocli wants the name of a subcommand on its own class; the rest is inherited
final class BenchUpdateCommand extends BenchUpdateOptions implements Callable<Integer> {
    private static final Duration PATIENCE = Duration.ofMinutes(1);
    private static final long MAX_PAYLOAD_BYTES = 1L << 30;
    private static final int PROMPT_TOKENS = 16;
    private static final int MAX_TOKENS = 240; // then the stream begins anew, so that no step is long for its context

    private final List<GapFigures.Phase> quiet = new ArrayList<>();
    private final Map<Kind, List<GapFigures.Phase>> first = new EnumMap<>(Kind.class);
    private final Map<Kind, List<GapFigures.Phase>> busy = new EnumMap<>(Kind.class);
    private final AtomicReference<TokenGaps> current = new AtomicReference<>(new TokenGaps()); // nobody's, at first
    private final AtomicReference<@Nullable Throwable> fault = new AtomicReference<>(); // of the stream

    @Override
    public Integer call() throws IOException, InterruptedException {
        Path dataDir = Files.createTempDirectory("tidestream-bench-update");
        try {
            ServerConfig.Updates updates = ServerConfig.Updates.DEFAULT.withDataDir(dataDir).withBuilderShare(builderShare());
            ServerConfig config = ServerConfig.DEFAULT.withModel(model.path()).withCompute(compute.config())
                    .withEngine(EngineConfig.DEFAULT).withUpdates(updates);
            StartListener terminal = new TerminalStart(spec.commandLine().getErr());
            MemoryBudget budget = updates.budget(EngineConfig.DEFAULT.kvMemoryBytes());
            Nd4jLowRankProduct product = new Nd4jLowRankProduct();
            try (VersionStore store = new VersionStore(updates, budget, product, terminal);
                    ModelRuntime running = ModelRuntime.start(config, store, terminal);
                    MetricsWiring metrics = new MetricsWiring(running)) {
                requireFit(running.blueprint());
                AdminService desk = new AdminWiring(running, updates, metrics).service(store, budget, product, VersionAgreement.ALONE, null);
                running.warmUp();
                try (BackgroundWarmUp warmUp = running.backgroundWarmUp(desk::warmUp)) {
                    warmUp.run(); // as a server does when it is idle
                }
                measure(running, desk);
                report(running);
            }
        } finally {
            delete(dataDir);
        }
        return 0;
    }

    private void requireFit(Blueprint blueprint) {
        if (blueprint.contextLength() <= PROMPT_TOKENS) {
            throw new ParameterException(spec.commandLine(),
                    "the model's context is too short for this: context=%d".formatted(blueprint.contextLength()));
        }
        for (Kind kind : kinds) {
            switch (kind) {
                case ROWS -> {
                    if (rows() > blueprint.vocabularySize()) {
                        throw new ParameterException(spec.commandLine(),
                                "--rows must be at most the vocabulary: %d > %d".formatted(rows(), blueprint.vocabularySize()));
                    }
                    requireFit("--rows", rows(), UpdateMaker.rowsBytes(blueprint, rows()), maxPayloadBytes());
                }
                case LOW_RANK -> requireFit("--rank", rank(), UpdateMaker.lowRankBytes(blueprint, rank()), maxPayloadBytes());
            }
        }
    }

    /** Payloads are made in the heap. */
    private static long maxPayloadBytes() {
        return Math.min(MAX_PAYLOAD_BYTES, Runtime.getRuntime().maxMemory() / 4);
    }

    /** Visible for tests. */
    void requireFit(String option, int value, long bytes, long maxBytes) {
        if (bytes > maxBytes) {
            throw new ParameterException(spec.commandLine(), "%s is too large here: %d, %d bytes of payload, at most %d"
                    .formatted(option, value, bytes, maxBytes));
        }
    }

    private void measure(ModelRuntime running, AdminDesk desk) throws InterruptedException {
        long steps = (long) kinds.size() * (warmUpUpdates() + updates());
        UpdateMaker maker = new UpdateMaker(running.blueprint(), new SplittableRandom(1));
        Disposable stream = stream(running);
        try (Progress progress = Progress.onTerminal(spec.commandLine().getErr(), "updating", steps)) {
            for (Kind kind : kinds) {
                measure(running, desk, maker, kind, warmUpUpdates(), first, new ArrayList<>(), progress);
            }
            for (Kind kind : kinds) {
                measure(running, desk, maker, kind, updates(), busy, quiet, progress);
            }
        } catch (AdminException e) {
            throw new CliException("an update was refused: " + e.getMessage());
        } finally {
            stream.dispose();
        }
    }

    private void measure(
            ModelRuntime running, AdminDesk desk, UpdateMaker maker, Kind kind, int count, Map<Kind, List<GapFigures.Phase>> into,
            List<GapFigures.Phase> intoQuiet, Progress progress) throws AdminException, InterruptedException {
        for (int i = 0; i < count; i++) {
            TokenGaps nobodys = count(new TokenGaps()); // making up a payload takes a core, too
            UpdateMaker.Update update = switch (kind) {
                case ROWS -> maker.rows(running.weightsVersion(), rows());
                case LOW_RANK -> maker.lowRank(running.weightsVersion(), rank());
            };
            await(nobodys, 1);
            TokenGaps before = count(new TokenGaps());
            await(before, quietTokens());
            TokenGaps during = count(new TokenGaps());
            update.applyTo(desk);
            await(during, 2); // published between these
            while (running.epochs().liveEpochs() > 1) {
                await(during, 1); // giving back the old version's memory belongs to it
            }
            TokenGaps after = count(new TokenGaps());
            await(after, quietTokens());

            List<TokenGaps.Gap> around = Stream.of(before, after).flatMap(gaps -> gaps.all().stream()).toList();
            long quietNs = GapFigures.medianNs(around);
            intoQuiet.add(new GapFigures.Phase(around, quietNs));
            into.computeIfAbsent(kind, k -> new ArrayList<>()).add(new GapFigures.Phase(during.all(), quietNs));
            progress.advance(1);
        }
    }

    /** Tokens that come now are counted there. */
    private TokenGaps count(TokenGaps gaps) {
        current.set(gaps);
        return gaps;
    }

    private void await(TokenGaps gaps, int tokens) throws InterruptedException {
        if (!gaps.awaitMore(tokens, PATIENCE)) {
            throw new CliException("the stream has stood still for %d s: %s".formatted(PATIENCE.toSeconds(), fault.get()));
        }
    }

    /** A stream without end, whose tokens are told apart by what goes on. */
    private Disposable stream(ModelRuntime running) {
        StepBreak breaks = running.breaks();
        int[] prompt = new SplittableRandom(1).ints(PROMPT_TOKENS, 0, running.engine().vocabularySize()).toArray();
        int maxTokens = Math.min(MAX_TOKENS, running.blueprint().contextLength() - PROMPT_TOKENS);
        GenerateRequest request = new GenerateRequest(
                null, prompt, maxTokens, SamplingOptions.DEFAULT, List.of(), -1, WeightsPolicy.FOLLOW);
        return Flux.defer(() -> running.engine().generate(request).events()).repeat().subscribe(new GapMeter(breaks, current::get)::accept, fault::set);
    }

    private void report(ModelRuntime running) {
        PrintWriter out = spec.commandLine().getOut();
        if (!json) {
            out.printf("%s, %s, builder-share=%s%n%-15s %8s %8s %10s %8s %8s %11s %7s %10s %6s %8s %7s %12s%n",
                    running.blueprint().name(), compute.config().words(), builderShare(), "WHILE", "UPDATES", "TOKENS", "MEDIAN MS", "P99 MS", "LONGEST",
                    "LESS BREAK", "BREAKS", "STOLEN MS", "TIMES", "COMPUTED", "OVER 2", "UNDISTURBED");
        }
        first.forEach((kind, phases) -> print(out, kind.name(), true, warmUpUpdates(), GapFigures.of(phases)));
        print(out, "nothing", false, 0, GapFigures.of(quiet));
        busy.forEach((kind, phases) -> print(out, kind.name(), false, updates(), GapFigures.of(phases)));
        out.flush();
    }

    private void print(PrintWriter out, String name, boolean warmUp, int count, GapFigures f) {
        String what = name.toLowerCase(Locale.ROOT);
        if (!json) {
            out.printf(Locale.ROOT, "%-15s %8d %8d %10.1f %8.1f %8.1f %11.1f %6.0f%% %10.0f %6.2f %8.2f %7d %12s%n",
                    warmUp ? what + ", first" : what, count, f.tokens(), f.medianMs(), f.p99Ms(), f.longestMs(), f.longestLessBreakMs(),
                    100 * f.breakShare(), f.stolenMs(), f.times(), f.computedTimes(), f.overTwice(),
                    "%.2f".formatted(f.undisturbedTimes()).replace("NaN", "-"));
            return;
        }
        out.println(JsonText.object(object -> {
            object.writeStringField("while", what);
            object.writeBooleanField("warm_up", warmUp);
            object.writeNumberField("updates", count);
            object.writeNumberField("tokens", f.tokens());
            object.writeObjectFieldStart("gap_ms");
            object.writeNumberField("median", f.medianMs());
            object.writeNumberField("p99", f.p99Ms());
            object.writeNumberField("longest", f.longestMs());
            object.writeNumberField("longest_less_break", f.longestLessBreakMs());
            object.writeEndObject();
            object.writeNumberField("break_share", f.breakShare());
            object.writeNumberField("stolen_ms", f.stolenMs());
            object.writeNumberField("times", f.times());
            object.writeNumberField("times_computed", f.computedTimes());
            object.writeNumberField("over_twice", f.overTwice());
            if (Double.isNaN(f.undisturbedTimes())) {
                object.writeNullField("times_undisturbed");
            } else {
                object.writeNumberField("times_undisturbed", f.undisturbedTimes());
            }
        }));
    }

    private static void delete(Path directory) throws IOException {
        List<Path> files;
        try (Stream<Path> all = Files.walk(directory)) {
            files = all.toList();
        }
        for (Path file : files.reversed()) {
            Files.deleteIfExists(file);
        }
    }
}
