package dev.tidestream.server.app;

import java.time.Clock;
import java.time.Duration;
import java.time.ZoneId;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;

import io.vertx.core.Vertx;
import org.jspecify.annotations.Nullable;

import dev.tidestream.model.architecture.Blueprint;
import dev.tidestream.model.gguf.GgufTensor;
import dev.tidestream.model.gguf.ModelSource;
import dev.tidestream.model.tokenizer.Tokenizer;
import dev.tidestream.model.transformer.KvCacheShape;
import dev.tidestream.model.transformer.ModelLoader;
import dev.tidestream.model.transformer.Precision;
import dev.tidestream.server.chat.ModelChat;
import dev.tidestream.server.cluster.ClusterConfig;
import dev.tidestream.server.cluster.follow.NodeLog;
import dev.tidestream.server.cluster.node.ClusterNode;
import dev.tidestream.server.cluster.node.LocalState;
import dev.tidestream.server.cluster.registry.NodeState;
import dev.tidestream.server.console.ConsoleEndpoints;
import dev.tidestream.server.engine.Engine;
import dev.tidestream.server.keys.ApiKeys;
import dev.tidestream.server.keys.KeyFileWatch;
import dev.tidestream.server.logging.EventLog;
import dev.tidestream.server.openai.AdapterNames;
import dev.tidestream.server.transport.AdminAccess;
import dev.tidestream.server.transport.Readiness;
import dev.tidestream.server.transport.ServerVerticle;

/**
 * A server that computes no tokens: it has the words of a model, tokenizer and templates, and workers of its cluster have the weights.
 * Clients meet the same wires, keys and limits as anywhere.
 */
final class GatewayServer extends RunningServer {
    private final ModelSource file;
    private final @Nullable NodeLog log;
    private final ClusterNode node;
    private final OpenAiWiring openAi;
    private final ResumeWiring resume;
    private final MetricsWiring metrics;
    private final ServerVerticle verticle;
    private final AtomicBoolean closed = new AtomicBoolean();

    private GatewayServer(ServerConfig config, ClusterConfig cluster, Preconditions met, ServerLife life, ModelSource file, Vertx vertx) {
        super(config, met, life, vertx);
        this.file = file;
        boolean listening = false;
        Deque<Runnable> closings = new ArrayDeque<>(); // of what was made, the last first
        try {
            Words words = new Words(file, config);
            log = ClusterWiring.log(config);
            if (log != null) {
                closings.push(log::close);
            }
            node = ClusterWiring.join(config, cluster, words, null, new NoEngine(log), log);
            closings.push(node::close);
            Served served = words.over(node);
            openAi = new OpenAiWiring(config, served, null, log == null);
            closings.push(openAi::close);
            resume = new ResumeWiring(served, openAi::receiptsReady, config.resume(), config.updates().dataDir());
            closings.push(resume::close);
            metrics = MetricsWiring.ofGateway(node::publishedVersion);
            closings.push(metrics::close);
            AdminAccess access = met.access(EventLog.of(EventLog.AUDIT), metrics::tokenRefused);
            verticle = new ServerVerticle(transport, served.engine(), state::get, access).withoutDesk()
                    .showing(metrics.page()).requiring(keys(config)).resuming(resume.streams());
            openAi.serve(verticle);
            ClusterWiring.serve(node, verticle, metrics);
            if (transport.access().console()) {
                verticle.serving(new ConsoleEndpoints());
            }
            metrics.observe(verticle::stats);
            life.limits("transport", transport);
            life.limits("cluster", cluster);
            await(vertx.deployVerticle(verticle));
            watchFiles(config, access);
            listening = true;
        } finally {
            if (!listening) {
                files.close();
                vertx.close().toCompletionStage().toCompletableFuture().join();
                closings.forEach(Runnable::run);
                file.close();
            }
        }
    }

    static GatewayServer listen(ServerConfig config, ClusterConfig cluster) {
        Preconditions met = Preconditions.check(config);
        ServerLife life = new ServerLife(Clock.system(ZoneId.systemDefault()));
        life.starting();
        return new GatewayServer(config, cluster, met, life, ModelFiles.open(config.model()), vertx());
    }

    private ApiKeys keys(ServerConfig config) {
        KeyFileWatch watch = met.keys();
        if (watch == null) {
            return ApiKeys.notRequired();
        }
        metrics.observe(watch.keys(), config.transport().access().keyMetrics());
        files.watchKeys(watch);
        return watch.keys();
    }

    @Override
    ServerVerticle verticle() {
        return verticle;
    }

    @Override
    public void warmUp() {
        state.compareAndSet(Readiness.STARTING, Readiness.READY);
        node.ready(httpUrl().orElse(""));
        life.ready(streamUrl());
    }

    /** Nothing of its heap is worth a collection that nobody has asked for. */
    @Override
    public void trimHeapWhileIdle() {}

    @Override
    public void stopping() {
        super.stopping();
        node.draining();
    }

    @Override
    public void close() {
        if (closed.getAndSet(true)) {
            return;
        }
        stopping();
        long startNs = System.nanoTime();
        life.stopping((int) node.counters().running(), 0, transport.shutdownGrace());
        try (files) {
            vertx.close().toCompletionStage().toCompletableFuture().join();
        } finally {
            try (file; resume; log; node) { // closed from the last to the first, whatever one of them throws
                metrics.close();
                openAi.close();
            } finally {
                life.stopped(Duration.ofNanos(System.nanoTime() - startNs));
            }
        }
    }

    /** Of a node that computes nothing. */
    private record NoEngine(@Nullable NodeLog log) implements LocalState {
        @Override
        public NodeState.Load load() {
            return new NodeState.Load(0, 0, 0, 0, 0);
        }

        @Override
        public NodeState.Weights weights() {
            return new NodeState.Weights(0, log == null ? 0 : log.publishedVersion(), Set.of(), Set.of());
        }

        @Override
        public Set<String> adapters() {
            return Set.of();
        }

        @Override
        public boolean sound() {
            return true;
        }

        @Override
        public void needed(Set<Long> versions) {} // it has none

        @Override
        public void close() {}
    }

    /** The words of a model; before there is a node, without an engine. */
    private static final class Words implements Served {
        private final ModelSource file;
        private final ServerConfig config;
        private final Tokenizer tokenizer;
        private final ModelChat chat;
        private final Blueprint blueprint;
        private final long positions;
        private final long openedS = System.currentTimeMillis() / 1000;
        private final @Nullable ClusterNode node;

        Words(ModelSource file, ServerConfig config) {
            this.file = file;
            this.config = config;
            this.node = null;
            ModelLoader loader = new ModelLoader(file, config.compute().formats());
            loader.check();
            blueprint = loader.blueprint();
            tokenizer = ModelFiles.tokenizer(file);
            chat = ModelFiles.chat(file, tokenizer, config.chats().template());
            KvCacheShape shape = KvCacheShape.of(blueprint, config.compute().kvType(), ModelRuntime.MAX_ROWS);
            positions = shape.positionsWithin((int) Math.min(Integer.MAX_VALUE, config.engine().kvMemoryBytes() / shape.blockBytes()));
        }

        private Words(Words words, ClusterNode over) {
            file = words.file;
            config = words.config;
            tokenizer = words.tokenizer;
            chat = words.chat;
            blueprint = words.blueprint;
            positions = words.positions;
            node = over;
        }

        Words over(ClusterNode workers) {
            return new Words(this, workers);
        }

        private ClusterNode node() {
            if (node == null) {
                throw new IllegalStateException("the node has not joined");
            }
            return node;
        }

        @Override
        public Engine engine() {
            return node().engine();
        }

        @Override
        public Tokenizer tokenizer() {
            return tokenizer;
        }

        @Override
        public ModelChat chat() {
            return chat;
        }

        @Override
        public Blueprint blueprint() {
            return blueprint;
        }

        @Override
        public int vocabularySize() {
            return Math.min(tokenizer.usedTokens(), blueprint.vocabularySize());
        }

        @Override
        public long parameters() {
            return file.tensors().values().stream().mapToLong(GgufTensor::elements).sum();
        }

        @Override
        public long weightsVersion() {
            return node().publishedVersion();
        }

        @Override
        public String headMode() {
            return "packed"; // what workers begin with
        }

        @Override
        public int defaultMaxTokens(int promptTokens) {
            return config.engine().defaultMaxTokens(positions, blueprint.contextLength(), promptTokens);
        }

        @Override
        public List<AdapterNames.Named> adapters() {
            return node().states().stream().flatMap(state -> state.adapters().stream()).distinct().sorted()
                    .map(name -> new AdapterNames.Named(name, openedS)).toList();
        }

        @Override
        public Precision precision() {
            return config.compute().precision();
        }

        @Override
        public List<String> contentSha256() {
            return List.of(file.sha256(), promptSha256());
        }

        @Override
        public String promptSha256() {
            return ModelFiles.promptSha256(file, chat);
        }
    }
}
