package dev.tidestream.loadtest;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

import dev.tidestream.loadtest.plan.AdminTraffic;
import dev.tidestream.loadtest.plan.Arrivals;
import dev.tidestream.loadtest.plan.CreditPolicy;
import dev.tidestream.loadtest.plan.Faults;
import dev.tidestream.loadtest.plan.Lengths;
import dev.tidestream.loadtest.plan.LoadPlan;
import dev.tidestream.loadtest.plan.Profile;
import dev.tidestream.loadtest.plan.Slo;
import dev.tidestream.loadtest.plan.Workload;
import dev.tidestream.loadtest.wire.openai.Api;

/** The options of a run. */
final class LoadOptions {
    /** What is measured. */
    enum TargetKind {
        TIDESTREAM,
        OPENAI
    }

    /** When requests of an open loop come. */
    enum Kind {
        POISSON,
        CONSTANT
    }

    @Option(names = "--target", defaultValue = "TIDESTREAM",
            description = "tidestream (default), or openai: any server with one of"
            + " OpenAI's wires (--api).")
    TargetKind target = TargetKind.TIDESTREAM;

    @Option(names = "--url", paramLabel = "URL",
            description = "Where to connect (default: ws://127.0.0.1:8080/v1/stream; for openai"
            + " http://127.0.0.1:8080/v1, or an endpoint below it). Several: connections go to them in turn.")
    List<URI> urls = new ArrayList<>();

    @Mixin
    final WorkerOptions workers = new WorkerOptions();

    @Option(names = "--api", paramLabel = "API", description = "Wire of openai targets: chat, completions, responses (as SSE), or"
            + " responses-ws (default: what the address ends in, else completions).")
    @Nullable Api api;

    @Option(names = "--api-key-file", paramLabel = "FILE",
            description = "A file with the key for the server (default: the environment variable " + ApiKey.VARIABLE
                    + ", else " + ApiKey.OPENAI_VARIABLE + ").")
    @Nullable Path apiKeyFile;

    @Option(names = "--model", paramLabel = "NAME", description = "Model to name to an openai target (default: its first).")
    @Nullable String model;

    @Option(names = "--baseline-url", paramLabel = "URL",
            description = "Measures this openai target as well, level by level in turn.")
    @Nullable URI baselineUrl;

    @Option(names = "--baseline-model", paramLabel = "NAME", description = "Model of the baseline (default: its first).")
    @Nullable String baselineModel;

    @Option(names = "--baseline-name", paramLabel = "NAME",
            description = "What reports call the baseline (default: the program of --baseline-command, or host and port).")
    @Nullable String baselineName;

    @Option(names = "--baseline-command", paramLabel = "COMMAND",
            description = "Starts the baseline for this run, separated by spaces, e.g."
                    + " \"llama-server -m model.gguf --port 8081\".")
    @Nullable String baselineCommand;

    @Option(names = "--spawn", fallbackValue = "true",
            description = "Starts a server for this run: free port, data directory and token of its own.")
    boolean spawn;

    @Option(names = "--spawn-args", paramLabel = "ARGS", defaultValue = "",
            description = "More arguments of its serve, separated by spaces, e.g. \"-m model.gguf --max-sequences 32\".")
    String spawnArgs = "";

    @Option(names = "--spawn-command", paramLabel = "COMMAND",
            description = "What to start instead of this launcher, separated by spaces; serve and its arguments are added.")
    @Nullable String spawnCommand;

    @Option(names = {"-c", "--concurrency"}, paramLabel = "LOAD", defaultValue = "1",
            description = "Closed loop: streams at any time: N, ramp:FROM-TO or steps:N,N,… over --duration (default: 1).")
    Profile concurrency = Profile.constant(1);

    @Option(names = "--rate", paramLabel = "LOAD",
            description = "Open loop: requests per second, likewise; latencies count from the intended start.")
    @Nullable Profile rate;

    @Option(names = "--arrivals", defaultValue = "POISSON", description = "Of an open loop: poisson (default) or constant.")
    Kind arrivals = Kind.POISSON;

    @Option(names = "--streams-per-connection", paramLabel = "N", defaultValue = "16",
            description = "Streams that share one WebSocket (default: 16).")
    int streamsPerConnection;

    @Option(names = "--max-connections", paramLabel = "N", defaultValue = "200", description = "Of an open loop (default: 200).")
    int maxConnections;

    @Option(names = "--connect-timeout", paramLabel = "TIME", defaultValue = "10s",
            description = "For a connection, and for the handshake of a WebSocket (default: 10s).")
    Duration connectTimeout = Duration.ofSeconds(10);

    @Option(names = "--idle", paramLabel = "N", defaultValue = "0",
            description = "Connections that are open beside the load and only watch the weights (default: 0).")
    int idle;

    @Option(names = "--warmup", paramLabel = "TIME", defaultValue = "2s",
            description = "Load that is not measured (default: 2s).")
    Duration warmup = Duration.ofSeconds(2);

    @Option(names = "--duration", paramLabel = "TIME", defaultValue = "10s", description = "Of the measured part (default: 10s).")
    Duration duration = Duration.ofSeconds(10);

    @Option(names = "--requests", paramLabel = "N", description = "Measures so many requests instead of a duration.")
    @Nullable Long requests;

    @Option(names = "--drain", paramLabel = "TIME", defaultValue = "30s",
            description = "How long running streams may take to end afterwards (default: 30s).")
    Duration drain = Duration.ofSeconds(30);

    @Option(names = "--stall", paramLabel = "TIME", defaultValue = "60s",
            description = "Silence of a stream that has credit which counts as a breach (default: 60s).")
    Duration stall = Duration.ofSeconds(60);

    @Option(names = "--prompt-tokens", paramLabel = "LENGTHS", defaultValue = "32",
            description = "N, uniform:MIN-MAX or normal:MEAN,DEVIATION (default: 32).")
    Lengths promptTokens = new Lengths.Constant(32);

    @Option(names = "--output-tokens", paramLabel = "LENGTHS", defaultValue = "64",
            description = "max_tokens, likewise (default: 64).")
    Lengths outputTokens = new Lengths.Constant(64);

    @Option(names = "--prompt", paramLabel = "TEXT", description = "One text for all requests instead of random tokens.")
    @Nullable String prompt;

    @Option(names = "--prompts", paramLabel = "FILE", description = "Prompts from a JSONL file, in turn; ShareGPT's form too.")
    @Nullable Path prompts;

    @Option(names = "--turns", paramLabel = "LENGTHS", defaultValue = "1",
            description = "Turns of a conversation (default: 1): each prompt has all that was said and generated before.")
    Lengths turns = new Lengths.Constant(1);

    @Option(names = "--turn-tokens", paramLabel = "LENGTHS", defaultValue = "16",
            description = "What the user adds in each later turn, if prompts are random (default: 16).")
    Lengths turnTokens = new Lengths.Constant(16);

    @Option(names = "--think", paramLabel = "TIME", defaultValue = "0s",
            description = "From the end of an answer to the next turn (default: 0s).")
    Duration think = Duration.ZERO;

    @Option(names = "--words", fallbackValue = "true",
            description = "Random words instead of random token ids; of itself where conversations are text.")
    boolean words;

    @Option(names = "--shared-prefix", paramLabel = "SHARE", defaultValue = "0",
            description = "Share of each random prompt, from its beginning, that all have in common (default: 0).")
    double sharedPrefix;

    @Option(names = "--temperature", paramLabel = "T", defaultValue = "1",
            description = "Of the sampling; 0 is greedy (default: 1).")
    float temperature;

    @Option(names = "--suppress-token", paramLabel = "ID", defaultValue = "-1",
            description = "Token that shall not be generated, such as the one that ends a text, so that outputs have their"
                    + " full length.")
    int suppressToken;

    @Option(names = "--credit", paramLabel = "POLICY", defaultValue = "greedy",
            description = "greedy (default), paced:TOKENS_PER_S or stop-and-go:TOKENS,PAUSE.")
    CreditPolicy credit = new CreditPolicy.Greedy();

    @Option(names = "--follow", paramLabel = "SHARE", defaultValue = "0",
            description = "Share of the streams that follow new weights; the others pin (default: 0).")
    double follow;

    @Option(names = "--slo", paramLabel = "SLO",
            description = "What a good request is, e.g. ttft=500ms,itl=50ms (itl: mean of a request).")
    Slo slo = Slo.NONE;

    @Option(names = "--faults", paramLabel = "SHARES",
            description = "Shares of the streams, and how often a worker is killed, e.g."
            + " vanish=0.02,cancel=0.1,slow=0.05,resume=0.1,kill-worker=10s.")
    Faults faults = Faults.NONE;

    @Option(names = "--repeats", paramLabel = "SHARE", defaultValue = "0",
            description = "Share of the requests that ask again, with the same seed, what an earlier one has asked: the text"
                    + " must be the same (default: 0).")
    double repeats;

    @Option(names = "--updates-per-s", paramLabel = "RATE", defaultValue = "0",
            description = "Weight updates over the admin channel.")
    double updatesPerS;

    @Option(names = "--update-rows", paramLabel = "N", defaultValue = "4", description = "Rows that each replaces (default: 4).")
    int updateRows;

    @Option(names = "--toggles-per-s", paramLabel = "RATE", defaultValue = "0", description = "Changes of the head's mode.")
    double togglesPerS;

    @Option(names = "--admin-token-file", paramLabel = "FILE", description = "Token of administrators, for the two above.")
    @Nullable Path adminTokenFile;

    @Option(names = "--sweep", paramLabel = "N,…", split = ",",
            description = "One run per level: of concurrency, or of the rate if --rate is given.")
    List<Double> sweep = new ArrayList<>();

    @Option(names = "--find-max", fallbackValue = "true",
            description = "Looks for the highest level at which --slo-share of the requests meet --slo.")
    boolean findMax;

    @Option(names = "--slo-share", paramLabel = "SHARE", defaultValue = "0.95", description = "For --find-max (default: 0.95).")
    double sloShare;

    @Option(names = "--seed", paramLabel = "N", defaultValue = "1", description = "Of everything random (default: 1).")
    long seed;

    @Option(names = "--scenario", paramLabel = "NAME",
            description = "Options from loadtest/scenarios/NAME.json, or from a file that ends"
            + " in .json; what stands on the command line wins.")
    @Nullable String scenario;

    @Option(names = "--fail-on-errors", fallbackValue = "true", description = "Errors fail the run, not only broken promises.")
    boolean failOnErrors;

    @Option(names = "--json", fallbackValue = "true", description = "The report on stdout as JSON.")
    boolean json;

    @Option(names = "--out", paramLabel = "FILE", description = "The report as JSON into a file, for report --compare.")
    @Nullable Path out;

    @Option(names = "--report", paramLabel = "FILE", description = "The report as one self-contained HTML file.")
    @Nullable Path report;

    /** @throws IllegalArgumentException if values do not fit */
    LoadPlan plan() {
        fitTogether();
        Profile r = rate;
        Arrivals first = r == null ? new Arrivals.Closed(concurrency) : new Arrivals.Open(r, arrivals == Kind.POISSON);
        if (!first.profile().isConstant() && (!sweep.isEmpty() || findMax)) {
            throw new IllegalArgumentException("--sweep and --find-max set the load themselves: " + first.text());
        }
        Long n = requests;
        return new LoadPlan(first, streamsPerConnection, maxConnections, idle, think, warmup, duration,
                n == null ? OptionalLong.empty() : OptionalLong.of(n), drain, stall, credit, follow, slo, faults,
                new AdminTraffic(updatesPerS, togglesPerS, updateRows), repeats, seed);
    }

    private void fitTogether() {
        inRange();
        refuse(!sweep.isEmpty() && findMax, "--sweep and --find-max exclude each other");
        refuse(findMax && slo.equals(Slo.NONE), "--find-max needs --slo");
        boolean openAi = target == TargetKind.OPENAI;
        refuse(api != null && !openAi && baselineUrl == null, "--api is for --target openai and for --baseline-url");
        boolean foreign = openAi || baselineUrl != null;
        refuse(foreign && !(credit instanceof CreditPolicy.Greedy) && !paced(),
                "--credit is not for openai, but for --api responses-ws of a Tidestream, and there paced:TOKENS_PER_S");
        refuse(foreign && idle > 0, "--idle is not for openai");
        refuse(openAi && (updatesPerS > 0 || togglesPerS > 0 || follow > 0), "updates, toggles and --follow are not for openai");
        refuse((updatesPerS > 0 || togglesPerS > 0) && !spawn && adminTokenFile == null,
                "--updates-per-s and --toggles-per-s need --admin-token-file FILE, or --spawn");
        urls.forEach(url -> refuse(lacksHost(url), "--url must be like ws://127.0.0.1:8080/v1/stream: " + url));
        refuse(lacksHost(baselineUrl), "--baseline-url must be like http://127.0.0.1:8081/v1/completions: " + baselineUrl);
        refuse(workers.any() != faults.kills(), "--faults kill-worker=EVERY needs --worker-pid or --worker-command, and they need it");
        refuse(spawn && !urls.isEmpty(), "--spawn starts a server of its own, and --url is that of another");
        refuse(faults.resume() > 0 && (foreign || !(credit instanceof CreditPolicy.Greedy)),
                "--faults resume is for the wire of Tidestream, and for --credit greedy: elsewhere a stream ends with its connection");
        endpoints();
        refuse(findMax && baselineUrl != null, "--find-max is for one target");
        refuse(baselineUrl == null && (baselineCommand != null || baselineModel != null || baselineName != null),
                "--baseline-url is missing");
        boolean several = !turns.equals(new Lengths.Constant(1));
        refuse(several && foreign && !words() && prompts == null,
                "--turns with openai needs --words or --prompts: it tells no token ids");
        refuse(several && prompt != null, "--turns is for random prompts and --prompts");
        refuse((prompt == null ? 0 : 1) + (prompts == null ? 0 : 1) + (words ? 1 : 0) > 1,
                "--prompt, --prompts and --words exclude each other");
        refuse(sharedPrefix > 0 && (prompt != null || prompts != null), "--shared-prefix is for random prompts");
    }

    /** Tokens without text have no event: whoever waits for a number of them might wait forever. */
    private boolean paced() {
        return credit instanceof CreditPolicy.Paced && endpoints().stream().allMatch(endpoint ->
                endpoint.api() == Api.RESPONSES_WS);
    }

    private void inRange() {
        atLeast("--streams-per-connection", streamsPerConnection, 1);
        atLeast("--max-connections", maxConnections, 1);
        atLeast("--idle", idle, 0);
        atLeast("--connect-timeout, in ms,", (double) connectTimeout.toMillis(), 1);
        Long n = requests;
        if (n != null) {
            atLeast("--requests", n, 1);
        }
        atLeast("--temperature", temperature, 0);
        atLeast("--updates-per-s", updatesPerS, 0);
        atLeast("--toggles-per-s", togglesPerS, 0);
        atLeast("--update-rows", updateRows, 1);
        share("--shared-prefix", sharedPrefix);
        share("--follow", follow);
        share("--repeats", repeats);
        share("--slo-share", sloShare);
        for (double level : sweep) {
            refuse(!(level > 0), "--sweep must be above 0: " + level);
        }
    }

    private static boolean lacksHost(@Nullable URI url) {
        return url != null && url.getHost() == null;
    }

    private static void atLeast(String option, double value, double min) {
        refuse(!(value >= min && value < Double.POSITIVE_INFINITY),
                "%s must be at least %s: %s".formatted(option, number(min), number(value)));
    }

    private static String number(double value) {
        return value == Math.rint(value) && Math.abs(value) < 1e15 ? String.valueOf((long) value) : String.valueOf(value);
    }

    private static void share(String option, double value) {
        refuse(!(value >= 0 && value <= 1), "%s must be in [0, 1]: %s".formatted(option, value));
    }

    private static void refuse(boolean wrong, String why) {
        if (wrong) {
            throw new IllegalArgumentException(why);
        }
    }

    Workload.Sizes sizes(int contextLength) {
        return new Workload.Sizes(promptTokens, outputTokens, turns, turnTokens, sharedPrefix, contextLength);
    }

    /** Of the first server. */
    URI urlOrDefault() {
        return urlsOrDefault().getFirst();
    }

    List<URI> urlsOrDefault() {
        return !urls.isEmpty() ? List.copyOf(urls)
                : List.of(URI.create(target == TargetKind.OPENAI ? "http://127.0.0.1:8080" : "ws://127.0.0.1:8080/v1/stream"));
    }

    /** Whether random prompts are words: where they must be text, or by wish. */
    boolean words() {
        return words || (prompt == null && prompts == null && textOnly());
    }

    /** Whether a target takes prompts as text only. */
    boolean textOnly() {
        return endpoints().stream().anyMatch(endpoint -> !endpoint.api().takesTokens());
    }

    /** Of the openai targets. */
    private List<Api.Endpoint> endpoints() {
        List<Api.Endpoint> endpoints = new ArrayList<>();
        if (target == TargetKind.OPENAI) {
            urlsOrDefault().forEach(url -> endpoints.add(endpoint(url)));
        }
        if (baselineUrl != null) {
            endpoints.add(baseline(baselineUrl));
        }
        return endpoints;
    }

    /** @throws IllegalArgumentException if an address is not one of the wire that is wanted */
    Api.Endpoint endpoint(URI base) {
        return named("--url ", base, api);
    }

    /** Of the baseline; its address may name another wire. */
    Api.Endpoint baseline(URI base) {
        return named("--baseline-url ", base, Api.isNamed(base) ? null : api);
    }

    private static Api.Endpoint named(String option, URI base, @Nullable Api wanted) {
        try {
            return Api.endpoint(base, wanted);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(option + e.getMessage(), e);
        }
    }
}
