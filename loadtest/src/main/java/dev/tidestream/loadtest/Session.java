package dev.tidestream.loadtest;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

import org.jspecify.annotations.Nullable;

import dev.tidestream.loadtest.figures.Figures;
import dev.tidestream.loadtest.plan.Arrivals;
import dev.tidestream.loadtest.plan.LoadPlan;
import dev.tidestream.loadtest.plan.Workload;
import dev.tidestream.loadtest.report.RunReport;
import dev.tidestream.loadtest.run.AdminDriver;
import dev.tidestream.loadtest.run.Live;
import dev.tidestream.loadtest.run.LoadRun;
import dev.tidestream.loadtest.run.RunResult;
import dev.tidestream.loadtest.wire.AdminLink;
import dev.tidestream.loadtest.wire.Io;
import dev.tidestream.loadtest.wire.ModelInfo;
import dev.tidestream.loadtest.wire.OpenAiTarget;
import dev.tidestream.loadtest.wire.StreamRequest;
import dev.tidestream.loadtest.wire.Target;
import dev.tidestream.loadtest.wire.TidestreamTarget;
import dev.tidestream.protocol.admin.AdminProtocol;

/** Everything between the options and the report: servers, targets, one run per level. The caller's thread waits. */
final class Session {
    private static final int FALLBACK_VOCABULARY = 1024;
    private static final int MAX_LEVEL = 4096;
    private static final double ENOUGH = 1.15; // a rate that is known this well is known

    private final LoadOptions options;
    private final LoadPlan plan;
    private final String command;
    private final Live.Listener live;
    private final List<RunReport.Step> steps = new ArrayList<>();
    private final List<String> evidence = new ArrayList<>();
    private final List<String> problems = new ArrayList<>();
    private long breaches;
    private String note = "";

    Session(LoadOptions options, LoadPlan plan, String command, Live.Listener live) {
        this.options = options;
        this.plan = plan;
        this.command = command;
        this.live = live;
    }

    /** @throws LoadFailedException if nothing can be measured */
    RunReport run() throws LoadFailedException, InterruptedException {
        Instant started = Instant.now().truncatedTo(ChronoUnit.SECONDS);
        if (!options.spawn) {
            measure(null);
        } else {
            try (SpawnedServer server = SpawnedServer.start(launcher(), words(options.spawnArgs))) {
                measure(server);
                if (!server.isAlive()) {
                    problems.add("the server has died");
                }
            }
        }
        judge();
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("slo", plan.slo().toString());
        settings.put("credit", plan.credit().toString());
        settings.put("streams_per_connection", String.valueOf(plan.streamsPerConnection()));
        settings.put("warmup", plan.warmup().toString());
        settings.put("seed", String.valueOf(plan.seed()));
        String name = options.scenario == null ? "loadtest" : options.scenario;
        return new RunReport(name, started.toString(), command, settings, steps, breaches, evidence, problems.isEmpty(),
                problems, note);
    }

    private List<String> launcher() throws LoadFailedException {
        String given = options.spawnCommand == null ? System.getProperty("tidestream.launcher") : options.spawnCommand;
        if (given == null) {
            throw new LoadFailedException("--spawn works from the launcher ./tidestream, or with --spawn-command");
        }
        return options.spawnCommand == null ? List.of(given) : words(given);
    }

    private static List<String> words(String text) {
        return text.isBlank() ? List.of() : List.of(text.strip().split(" +"));
    }

    private void measure(@Nullable SpawnedServer server) throws LoadFailedException, InterruptedException {
        URI url = server == null ? options.urlOrDefault() : server.url();
        try (Io io = new Io()) {
            List<Target> targets = new ArrayList<>();
            ModelInfo model = null;
            if (options.target == LoadOptions.TargetKind.OPENAI) {
                model = modelInfo(url, options.model);
                targets.add(new OpenAiTarget(io, url, model.id(), System::nanoTime));
            } else {
                if (!"ws".equals(url.getScheme()) && !"wss".equals(url.getScheme())) {
                    throw new LoadFailedException("not a WebSocket's address (ws://…): " + url);
                }
                model = modelInfo(url, null);
                targets.add(new TidestreamTarget(io, url, System::nanoTime));
            }
            if (options.baselineUrl != null) {
                ModelInfo other = modelInfo(options.baselineUrl, options.baselineModel);
                targets.add(new OpenAiTarget(io, options.baselineUrl, other.id(), System::nanoTime));
            }
            AdminLink admin = plan.admin().any() ? connectAdmin(io, url, server) : null;
            steps(io, targets, model, admin, server);
            if (admin != null) {
                io.execute(admin::close);
            }
        } catch (IOException e) {
            throw new LoadFailedException(String.valueOf(e.getMessage()), e);
        }
    }

    private void steps(Io io, List<Target> targets, ModelInfo model, @Nullable AdminLink admin, @Nullable SpawnedServer server)
            throws LoadFailedException, InterruptedException, IOException {
        if (options.findMax) {
            findMax(io, targets.getFirst(), model, admin, server);
            return;
        }
        List<Arrivals> levels = options.sweep.isEmpty() ? List.of(plan.arrivals())
                : options.sweep.stream().map(plan.arrivals()::atLevel).toList();
        for (Arrivals level : levels) {
            for (Target target : targets) {
                step(io, target, level, model, target == targets.getFirst() ? admin : null, server);
            }
        }
    }

    private ModelInfo modelInfo(URI url, @Nullable String name) throws IOException, InterruptedException {
        boolean needed = options.prompt == null && options.prompts == null && !options.words;
        if (!needed && name != null) {
            return new ModelInfo(name, 0);
        }
        ModelInfo info = ModelInfo.of(url);
        return name == null ? info : new ModelInfo(name, info.vocabularySize());
    }

    private AdminLink connectAdmin(Io io, URI url, @Nullable SpawnedServer server) throws IOException, LoadFailedException,
            InterruptedException {
        Path file = server == null ? options.adminTokenFile : server.tokenFile();
        if (file == null) {
            throw new LoadFailedException("updates and toggles need --admin-token-file, or --spawn");
        }
        String token = Files.readString(file).strip();
        CompletableFuture<AdminLink> connected = new CompletableFuture<>();
        URI adminUrl = URI.create(url.getScheme() + "://" + url.getRawAuthority() + AdminProtocol.PATH);
        io.execute(() -> AdminLink.connect(io, adminUrl, token, System::nanoTime, connected::complete, why -> {
            if (!connected.completeExceptionally(new IOException(why))) {
                adminTrouble(why);
            }
        }));
        try {
            return connected.get();
        } catch (ExecutionException e) {
            throw new LoadFailedException("admin channel: " + adminUrl + ": " + e.getCause(), e);
        }
    }

    private synchronized void adminTrouble(String why) {
        problems.add("admin channel: " + why);
    }

    private RunResult step(Io io, Target target, Arrivals level, ModelInfo model, @Nullable AdminLink admin,
            @Nullable SpawnedServer server) throws LoadFailedException, InterruptedException, IOException {
        LoadPlan at = plan.withArrivals(level);
        AdminDriver driver = admin == null ? null
                : new AdminDriver(plan.admin(), admin, io, System::nanoTime, plan.seed(), "loadtest-"
                        + System.currentTimeMillis());
        StreamRequest.Sampling sampling = new StreamRequest.Sampling(options.temperature, plan.seed() * 1_000_003,
                options.suppressToken);
        LoadRun run = new LoadRun(at, target, io, workload(model), sampling, System::nanoTime, driver, () -> use(server), live);
        RunResult result;
        try {
            result = run.start().get();
        } catch (ExecutionException e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            throw new LoadFailedException(cause instanceof IllegalStateException ? String.valueOf(cause.getMessage())
                    : cause.toString(), e);
        }
        steps.add(new RunReport.Step(target.name(), LoadOptions.load(level), level.level(), result.figures(), result.samples(),
                result.marks(), result.windowStartS(), result.windowEndS()));
        breaches += result.breaches();
        evidence.addAll(result.evidence());
        return result;
    }

    private static Figures.@Nullable ServerUse use(@Nullable SpawnedServer server) {
        return server == null ? null : server.use();
    }

    private Workload workload(ModelInfo model) throws IOException {
        if (options.prompt != null) {
            return Workload.fixed(options.prompt, options.outputTokens);
        }
        if (options.prompts != null) {
            return Workload.file(options.prompts, options.outputTokens);
        }
        if (options.words) {
            return Workload.words(options.promptTokens, options.outputTokens, options.sharedPrefix, plan.seed());
        }
        int vocabulary = model.vocabularySize() > 0 ? model.vocabularySize() : FALLBACK_VOCABULARY;
        return Workload.tokens(options.promptTokens, options.outputTokens, vocabulary, options.sharedPrefix, plan.seed());
    }

    /** Doubles the level until the SLO is missed, then halves the gap. */
    private void findMax(Io io, Target target, ModelInfo model, @Nullable AdminLink admin, @Nullable SpawnedServer server)
            throws LoadFailedException, InterruptedException, IOException {
        boolean whole = plan.arrivals() instanceof Arrivals.Closed;
        double good = 0;
        double bad = 0;
        double level = plan.arrivals().level();
        while (level <= MAX_LEVEL && (bad == 0 || (whole ? bad - good > 1 : bad / Math.max(good, 1e-9) > ENOUGH))) {
            RunResult result = step(io, target, plan.arrivals().atLevel(level), model, admin, server);
            if (result.figures().goodShare() >= options.sloShare) {
                good = level;
            } else {
                bad = level;
            }
            if (good == 0 && (whole ? level <= 1 : level < 0.05)) {
                break;
            }
            level = bad == 0 ? level * 2 : good == 0 ? level / 2 : (good + bad) / 2;
            level = whole ? Math.max(1, Math.floor(level)) : level;
        }
        note = good == 0 ? "no level meets " + plan.slo() : "the highest level that meets " + plan.slo() + " is "
                + LoadOptions.load(plan.arrivals().atLevel(good));
    }

    private void judge() {
        if (breaches > 0) {
            problems.add(breaches + " broken promises of the server");
        }
        for (RunReport.Step step : steps) {
            if (step.figures().finished() == 0) {
                problems.add("no request came to its end: " + step.target() + ", " + step.load());
            }
            if (options.failOnErrors && !step.figures().errors().isEmpty()) {
                problems.add("errors: " + step.load() + ": " + step.figures().errors());
            }
        }
    }
}
