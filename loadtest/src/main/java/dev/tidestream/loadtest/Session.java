package dev.tidestream.loadtest;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.function.Supplier;

import org.jspecify.annotations.Nullable;

import dev.tidestream.console.Reasons;
import dev.tidestream.loadtest.figures.Figures;
import dev.tidestream.loadtest.plan.Arrivals;
import dev.tidestream.loadtest.plan.LoadPlan;
import dev.tidestream.loadtest.plan.PromptFile;
import dev.tidestream.loadtest.plan.Workload;
import dev.tidestream.loadtest.report.RunReport;
import dev.tidestream.loadtest.run.AdminDriver;
import dev.tidestream.loadtest.run.Live;
import dev.tidestream.loadtest.run.LoadRun;
import dev.tidestream.loadtest.run.RunResult;
import dev.tidestream.loadtest.wire.AdminLink;
import dev.tidestream.loadtest.wire.Io;
import dev.tidestream.loadtest.wire.ModelInfo;
import dev.tidestream.loadtest.wire.StreamRequest;
import dev.tidestream.loadtest.wire.Target;
import dev.tidestream.loadtest.wire.TidestreamTarget;
import dev.tidestream.loadtest.wire.openai.Api;
import dev.tidestream.loadtest.wire.openai.HttpTarget;
import dev.tidestream.loadtest.wire.openai.LaneTarget;
import dev.tidestream.protocol.admin.AdminProtocol;

/** Everything between the options and the report: servers, targets, one run per level. The caller's thread waits. */
final class Session {
    private static final int FALLBACK_VOCABULARY = 1024;
    private static final long SEED_STRIDE = 7919;
    private static final int MAX_LEVEL = 4096;
    private static final double ENOUGH = 1.15; // a rate that is known this well is known

    private final LoadOptions options;
    private final LoadPlan plan;
    private final String command;
    private final String question;
    private final Live.Listener live;
    private final List<RunReport.Step> steps = new ArrayList<>();
    private final List<String> evidence = new ArrayList<>();
    private final List<String> problems = new ArrayList<>();
    private final Map<String, String> environment = new LinkedHashMap<>();
    private @Nullable PromptFile promptFile;
    private @Nullable WorkerProcesses workers;
    private long levelsMeasured;
    private long breaches;
    private String note = "";

    /** @param question what the scenario asks; empty without one */
    Session(LoadOptions options, LoadPlan plan, String command, String question, Live.Listener live) {
        this.options = options;
        this.plan = plan;
        this.command = command;
        this.question = question;
        this.live = live;
    }

    /** @throws LoadFailedException if nothing can be measured */
    RunReport run() throws LoadFailedException, InterruptedException {
        Instant started = Instant.now().truncatedTo(ChronoUnit.SECONDS);
        if (options.prompts != null) {
            promptFile = promptFile(options.prompts); // before anything is started for it
            if (options.textOnly() && promptFile.hasTokens()) {
                throw new LoadFailedException("%s has token ids, and a conversation is text".formatted(options.prompts));
            }
        }
        try (WorkerProcesses processes = WorkerProcesses.start(options.workers)) {
            workers = options.workers.any() ? processes : null;
            besideServer();
            problems.addAll(processes.troubles());
        }
        judge();
        String name = options.scenario == null ? "loadtest" : options.scenario;
        return new RunReport(name, question, started.toString(), command, environment, Settings.of(options, plan), steps,
                breaches,
                evidence, problems.isEmpty(), problems, note);
    }

    private void besideServer() throws LoadFailedException, InterruptedException {
        if (!options.spawn) {
            besideBaseline(null);
            return;
        }
        live.at(Live.of("starting", 0).withLabel("a server"));
        try (SpawnedServer server = SpawnedServer.start(launcher(), words(options.spawnArgs))) {
            besideBaseline(server);
            if (!server.process().isAlive()) {
                problems.add("the server has died:" + server.process().lastLines());
            }
        }
    }

    private static PromptFile promptFile(Path file) throws LoadFailedException {
        try {
            return PromptFile.read(file);
        } catch (NoSuchFileException e) {
            throw new LoadFailedException("no such file: " + file, e);
        } catch (IOException e) {
            throw new LoadFailedException("prompts cannot be read: %s: %s".formatted(file, Reasons.of(e)), e);
        } catch (IllegalArgumentException e) {
            throw new LoadFailedException("prompts cannot be read: " + e.getMessage(), e);
        }
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

    private void besideBaseline(@Nullable SpawnedServer server) throws LoadFailedException, InterruptedException {
        String baseline = options.baselineCommand;
        URI url = options.baselineUrl;
        if (baseline == null || url == null) {
            measure(server, null);
            return;
        }
        live.at(Live.of("starting", 0).withLabel("the baseline"));
        try (ServerProcess other = BaselineServer.start(words(baseline), url)) {
            measure(server, other);
            if (!other.isAlive()) {
                problems.add("the baseline has died:" + other.lastLines());
            }
        }
    }

    /**
     * What is measured.
     *
     * @param name for reports
     * @param targets one server, or several that serve the same model
     */
    private record Subject(String name, List<Target> targets, @Nullable AdminLink admin, Supplier<Figures.@Nullable ServerUse> use) {
        String targetName() {
            return targets.getFirst().name() + (targets.size() == 1 ? "" : " and %d more".formatted(targets.size() - 1));
        }
    }

    private void measure(@Nullable SpawnedServer server, @Nullable ServerProcess baseline)
            throws LoadFailedException, InterruptedException {
        List<URI> urls = server == null ? options.urlsOrDefault() : List.of(server.url());
        URI url = urls.getFirst();
        String key = ApiKey.find(options.apiKeyFile, System::getenv);
        try (Io io = new Io(options.connectTimeout)) {
            List<Subject> subjects = new ArrayList<>();
            ModelInfo model = modelInfo(url, options.target == LoadOptions.TargetKind.OPENAI ? options.model : null, key);
            subjects.add(options.target == LoadOptions.TargetKind.OPENAI ? openAi(io, urls, server, model, key)
                    : tidestream(io, urls, server, key));
            environment.putAll(Environment.of(url, model, key));
            if (urls.size() > 1) {
                environment.put("servers", urls.size() + ": " + String.join(", ", urls.stream().map(URI::getRawAuthority).toList()));
            }
            if (options.baselineUrl != null) {
                Api.Endpoint endpoint = options.baseline(options.baselineUrl);
                ModelInfo other = modelInfo(endpoint.url(), options.baselineModel, null);
                environment.putAll(Environment.ofBaseline(baselineName(endpoint.url()), endpoint.url(), other));
                subjects.add(new Subject(baselineName(endpoint.url()), List.of(target(io, endpoint, other, null)), null,
                        () -> baseline == null ? null : baseline.use()));
            }
            steps(io, subjects, model);
            for (Subject subject : subjects) {
                AdminLink admin = subject.admin();
                if (admin != null) {
                    io.execute(admin::close);
                }
            }
        } catch (IOException e) {
            throw new LoadFailedException(Reasons.message(e), e);
        }
    }

    private Subject tidestream(Io io, List<URI> urls, @Nullable SpawnedServer server, @Nullable String key)
            throws LoadFailedException, IOException, InterruptedException {
        for (URI url : urls) {
            if (!"ws".equals(url.getScheme()) && !"wss".equals(url.getScheme())) {
                throw new LoadFailedException("not a WebSocket's address (ws://…): " + url);
            }
        }
        List<Target> targets = urls.stream().<Target>map(url -> new TidestreamTarget(io, url, key, System::nanoTime)).toList();
        return new Subject("tidestream", targets,
                plan.admin().any() ? connectAdmin(io, urls.getFirst(), server) : null,
                () -> server == null ? null : server.process().use());
    }

    private Subject openAi(Io io, List<URI> urls, @Nullable SpawnedServer server, ModelInfo model, @Nullable String key) {
        List<Api.Endpoint> endpoints = urls.stream()
                .map(url -> options.endpoint(server == null ? url : URI.create("http://" + url.getRawAuthority()))).toList();
        return new Subject(server == null ? urls.getFirst().getRawAuthority() : "tidestream " + endpoints.getFirst().api(),
                endpoints.stream().map(endpoint -> target(io, endpoint, model, key)).toList(), null,
                () -> server == null ? null : server.process().use());
    }

    private static Target target(Io io, Api.Endpoint endpoint, ModelInfo model, @Nullable String key) {
        return endpoint.api() == Api.RESPONSES_WS ? new LaneTarget(io, endpoint, model.id(), model.own(), key, System::nanoTime)
                : new HttpTarget(io, endpoint, model.id(), model.own(), key, System::nanoTime);
    }

    private String baselineName(URI url) {
        String given = options.baselineName;
        String program = options.baselineCommand;
        return given != null ? given : program != null ? String.valueOf(Path.of(words(program).getFirst()).getFileName())
                : url.getRawAuthority();
    }

    private void steps(Io io, List<Subject> subjects, ModelInfo model) throws LoadFailedException, InterruptedException {
        if (options.findMax) {
            findMax(io, subjects.getFirst(), model);
            return;
        }
        List<Arrivals> levels = options.sweep.isEmpty() ? List.of(plan.arrivals())
                : options.sweep.stream().map(plan.arrivals()::atLevel).toList();
        for (Arrivals level : levels) {
            long seed = nextSeed();
            for (Subject subject : subjects) {
                step(io, subject, level, seed, model);
            }
        }
    }

    /** Each level has prompts of its own, the same for all subjects. */
    private long nextSeed() {
        return plan.seed() + levelsMeasured++ * SEED_STRIDE;
    }

    private ModelInfo modelInfo(URI url, @Nullable String name, @Nullable String key) throws IOException, InterruptedException {
        boolean needed = name == null || (options.prompt == null && options.prompts == null && !options.words());
        try {
            ModelInfo info = ModelInfo.of(url, key);
            return name == null ? info
                    : new ModelInfo(name, info.vocabularySize(), info.contextLength(), info.parameters(), info.own());
        } catch (IOException e) {
            if (needed || name == null) {
                throw e;
            }
            return new ModelInfo(name, 0, 0, 0, false); // a server need not tell its models
        }
    }

    private AdminLink connectAdmin(Io io, URI url, @Nullable SpawnedServer server) throws IOException, LoadFailedException,
            InterruptedException {
        Path file = server == null ? options.adminTokenFile : server.tokenFile();
        if (file == null) {
            throw new LoadFailedException("updates and toggles need --admin-token-file, or --spawn");
        }
        String token = token(file);
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
            throw new LoadFailedException("admin channel: " + adminUrl + ": " + Reasons.of(e), e);
        }
    }

    private static String token(Path file) throws LoadFailedException {
        try {
            return Files.readString(file).strip();
        } catch (IOException e) {
            throw new LoadFailedException("admin token file cannot be read: %s: %s".formatted(file, Reasons.of(e)), e);
        }
    }

    private synchronized void adminTrouble(String why) {
        problems.add("admin channel: " + why);
    }

    private RunResult step(Io io, Subject subject, Arrivals level, long seed, ModelInfo model)
            throws LoadFailedException, InterruptedException {
        LoadPlan at = plan.at(level, seed);
        AdminLink admin = subject.admin();
        AdminDriver driver = admin == null ? null
                : new AdminDriver(plan.admin(), admin, io, System::nanoTime, seed, "loadtest-" + System.currentTimeMillis());
        StreamRequest.Sampling sampling =
                new StreamRequest.Sampling(options.temperature, seed * 1_000_003, options.suppressToken);
        String label = several() ? subject.name() + ", " + level.text() : "";
        LoadRun run = new LoadRun(at, subject.targets(), io, workload(model, seed), sampling, System::nanoTime, driver, workers,
                subject.use(), l -> live.at(l.withLabel(label)));
        RunResult result;
        try {
            result = run.start().get();
        } catch (ExecutionException e) {
            throw new LoadFailedException(Reasons.message(e), e);
        }
        steps.add(new RunReport.Step(subject.targetName(), subject.name(), level.text(), level.profile().highest(),
                result.figures(),
                result.noise(), result.samples(), result.marks(), result.stages(), result.promises(), result.windowStartS(),
                result.windowEndS(), result.servers(), result.kills()));
        breaches += result.breaches();
        evidence.addAll(result.evidence());
        return result;
    }

    private boolean several() {
        return options.findMax || !options.sweep.isEmpty() || options.baselineUrl != null;
    }

    private Workload workload(ModelInfo model, long seed) {
        if (options.prompt != null) {
            return Workload.fixed(options.prompt, options.outputTokens);
        }
        Workload.Sizes sizes = options.sizes(model.contextLength());
        if (promptFile != null) {
            return Workload.of(promptFile, sizes);
        }
        if (options.words()) {
            return Workload.words(sizes, seed);
        }
        return Workload.tokens(sizes, model.vocabularySize() > 0 ? model.vocabularySize() : FALLBACK_VOCABULARY, seed);
    }

    /** Doubles the level until the SLO is missed, then halves the gap. */
    private void findMax(Io io, Subject subject, ModelInfo model) throws LoadFailedException, InterruptedException {
        boolean whole = plan.arrivals() instanceof Arrivals.Closed;
        double good = 0;
        double bad = 0;
        double level = plan.arrivals().profile().first();
        while (level <= MAX_LEVEL && (bad == 0 || (whole ? bad - good > 1 : bad / Math.max(good, 1e-9) > ENOUGH))) {
            RunResult result = step(io, subject, plan.arrivals().atLevel(level), nextSeed(), model);
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
                + plan.arrivals().text(good);
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
