package dev.tidestream.server.bench.cluster;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;

import org.jspecify.annotations.Nullable;

import dev.tidestream.model.kernels.KernelSelection;
import dev.tidestream.model.sampling.Sampler;
import dev.tidestream.model.sampling.SamplingParams;
import dev.tidestream.model.sampling.StopMatcher;
import dev.tidestream.model.tied.HeadMode;
import dev.tidestream.model.tokenizer.IncrementalDetokenizer;
import dev.tidestream.model.transformer.KvCacheShape;
import dev.tidestream.protocol.WeightsPolicy;
import dev.tidestream.protocol.options.Urgency;
import dev.tidestream.server.cluster.route.NodeView;
import dev.tidestream.server.engine.EngineConfig;
import dev.tidestream.server.epoch.CurrentEpoch;
import dev.tidestream.server.epoch.ModelEpoch;
import dev.tidestream.server.scheduler.GeneratedToken;
import dev.tidestream.server.scheduler.Scheduler;
import dev.tidestream.server.scheduler.SchedulerConfig;
import dev.tidestream.server.scheduler.SequenceRequest;
import dev.tidestream.server.scheduler.fair.Party;
import dev.tidestream.server.scheduler.kv.KvCachePool;
import dev.tidestream.server.scheduler.kv.KvStats;
import dev.tidestream.server.scheduler.status.SchedulerStats;

/**
 * A worker: the real scheduler and KV pool over a {@link PacedModel}. A step happens at the time at which it begins; what comes of it is
 * told when the model would be done, unless the worker has died by then.
 */
final class SimWorker {
    static final long WEIGHTS_VERSION = 1;
    private static final SequenceRequest.Memory MEMORY = new SequenceRequest.Memory(1000, 4);
    private static final long PROGRESS_NS = Long.MAX_VALUE / 4;

    /** What hears of a worker; at the time at which it says so. */
    interface Listener {
        void token(SimWorker from, SimStream stream, GeneratedToken token);

        void refused(SimWorker from, SimStream stream);

        /** A step that began now takes so long. */
        void computes(SimWorker worker, long fromNs, long toNs);
    }

    private record Said(SimStream stream, GeneratedToken token) {}

    /** From a start to a death. */
    private record Life(CurrentEpoch epochs, KvCachePool pool, Scheduler scheduler) implements AutoCloseable {
        @Override
        public void close() {
            pool.close();
            epochs.close();
        }
    }

    private final String name;
    private final SimConfig config;
    private final EventQueue events;
    private final Listener listener;
    private final List<Said> said = new ArrayList<>(); // in the step that runs
    private @Nullable Life life;
    private boolean stepping;
    private long clockNs; // the scheduler's: ahead of the events while a step runs
    private long reports;
    private long refusing; // streams that were refused while they were handed over

    SimWorker(String name, SimConfig config, EventQueue events, Listener listener) {
        this.name = name;
        this.config = config;
        this.events = events;
        this.listener = listener;
        start();
    }

    String name() {
        return name;
    }

    boolean alive() {
        return life != null;
    }

    /** Begins, with nothing computed. */
    void start() {
        CurrentEpoch epochs = new CurrentEpoch(new ModelEpoch(WEIGHTS_VERSION, HeadMode.PACKED,
                new PacedModel(config.machine(), took -> clockNs += took), () -> { }));
        long bytes = (long) config.kvPositions() / KvCacheShape.BLOCK_POSITIONS * PacedModel.SHAPE.blockBytes();
        KvCachePool pool = new KvCachePool(PacedModel.SHAPE, bytes, EngineConfig.DEFAULT.prefixShare());
        EngineConfig usual = EngineConfig.DEFAULT;
        SchedulerConfig limits = new SchedulerConfig(config.slots(), config.slots(), usual.prefillChunkRows(), PROGRESS_NS,
                usual.queue(), usual.stalled());
        life = new Life(epochs, pool, new Scheduler(limits, epochs, pool, () -> clockNs));
        stepping = false;
    }

    /** Ends without a word: streams and what the running step would say are lost. */
    void kill() {
        Life ends = requireLife();
        life = null;
        said.clear();
        ends.close();
    }

    private Life requireLife() {
        if (life == null) {
            throw new IllegalStateException("the worker is dead: " + name);
        }
        return life;
    }

    /** What it says to the gateways, as of its last step. */
    NodeView report() {
        Life now = requireLife();
        SchedulerStats stats = now.scheduler().stats();
        KvStats kv = now.pool().stats();
        double kvUse = Math.min(1, (double) kv.usedBytes() / kv.budgetBytes());
        return new NodeView(name, ++reports, config.slots(), stats.running(), stats.queued(), kvUse, WEIGHTS_VERSION,
                Set.of(WEIGHTS_VERSION), Set.of(), false);
    }

    /** Takes a stream at the end of the step that runs, or now; one that it cannot take it refuses at once. */
    void submit(SimStream stream) {
        if (!stepping) {
            clockNs = events.nowNs();
        }
        stream.at(this);
        long before = refusing;
        requireLife().scheduler().submit(request(stream));
        if (refusing > before) {
            listener.refused(this, stream);
        }
        if (!stepping) {
            step();
        }
    }

    private SequenceRequest request(SimStream stream) {
        Sampler sampler = new Sampler(KernelSelection.fastest(), SamplingParams.greedy(), PacedModel.VOCABULARY, stream.prompt());
        sampler.goOnAfter(stream.generated());
        Party party = new Party("client", "conversation " + stream.conversation().number());
        return new SequenceRequest(stream.number(), party, stream.prompt(), stream.wanted(), -1, WeightsPolicy.PIN, sampler, new NoText(),
                new StopMatcher(List.of()), token -> false, stream.generated(), -1, Urgency.DEFAULT, null, MEMORY, events.nowNs(), stream);
    }

    void says(SimStream stream, GeneratedToken token) {
        said.add(new Said(stream, token));
    }

    void refuses(SimStream stream) {
        if (stream.tokens() > stream.wanted()) {
            throw new IllegalStateException("refused after its end: stream=" + stream.number());
        }
        refusing++;
    }

    private void step() {
        Life now = requireLife();
        clockNs = events.nowNs();
        stepping = now.scheduler().step() > 0;
        if (!stepping) {
            return;
        }
        List<Said> told = List.copyOf(said);
        said.clear();
        listener.computes(this, events.nowNs(), clockNs);
        events.at(clockNs, () -> {
            if (now.equals(life)) {
                told.forEach(one -> listener.token(this, one.stream(), one.token()));
                step();
            }
        });
    }

    private static final class NoText implements IncrementalDetokenizer {
        @Override
        public String append(int token) {
            return "";
        }

        @Override
        public String flush() {
            return "";
        }
    }
}
