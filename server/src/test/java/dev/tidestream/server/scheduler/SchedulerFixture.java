package dev.tidestream.server.scheduler;

import java.util.List;
import java.util.concurrent.TimeUnit;

import dev.tidestream.model.kernels.KernelSelection;
import dev.tidestream.model.sampling.Sampler;
import dev.tidestream.model.sampling.SamplingParams;
import dev.tidestream.model.sampling.StopMatcher;
import dev.tidestream.model.tied.HeadMode;
import dev.tidestream.protocol.WeightsPolicy;
import dev.tidestream.protocol.options.Urgency;
import dev.tidestream.server.FakeLanguageModel;
import dev.tidestream.server.FakeTokenizer;
import dev.tidestream.server.epoch.CurrentEpoch;
import dev.tidestream.server.epoch.ModelEpoch;
import dev.tidestream.server.scheduler.fair.Party;
import dev.tidestream.server.scheduler.kv.KvCachePool;

/** A scheduler over a fake model, with a clock that is set by hand. */
final class SchedulerFixture {
    static final long MS = TimeUnit.MILLISECONDS.toNanos(1);
    static final SequenceRequest.Memory MEMORY = new SequenceRequest.Memory(1000, 4);

    final FakeLanguageModel model;
    final CurrentEpoch epochs;
    final KvCachePool pool;
    final Scheduler scheduler;
    final FakeTokenizer tokenizer = new FakeTokenizer();
    long nowNs = 1_000_000_000L;
    private long lastStream;

    /** @param kvBlocks of 32 positions */
    SchedulerFixture(int maxSequences, int maxQueued, int chunkRows, int kvBlocks) {
        this(config(maxSequences, maxQueued, chunkRows), kvBlocks);
    }

    /** @param kvBlocks of 32 positions; nothing is shared */
    SchedulerFixture(SchedulerConfig config, int kvBlocks) {
        this(config, kvBlocks, 0);
    }

    /**
     * @param kvBlocks of 32 positions
     * @param prefixShare most of them that are kept for sequences to come
     */
    SchedulerFixture(SchedulerConfig config, int kvBlocks, double prefixShare) {
        model = new FakeLanguageModel(256, 64, 1);
        epochs = new CurrentEpoch(new ModelEpoch(1, HeadMode.PACKED, model, () -> { }));
        pool = new KvCachePool(model.kvCacheShape(), kvBlocks * model.kvCacheShape().blockBytes(), prefixShare);
        scheduler = new Scheduler(config, epochs, pool, () -> nowNs);
    }

    SchedulerFixture() {
        this(16, 16, 8, 256);
    }

    /** Nothing but slots and the queue has a bound that matters. */
    static SchedulerConfig config(int maxSequences, int maxQueued, int chunkRows) {
        return new SchedulerConfig(maxSequences, maxSequences, chunkRows, 500 * MS,
                new QueueLimits(maxQueued, 1 << 30), new StallLimits(1024, 1 << 30, 1000 * MS));
    }

    FakeClient submit(int[] prompt, int maxTokens, long demand) {
        return submit(prompt, maxTokens, demand, WeightsPolicy.PIN, List.of());
    }

    FakeClient submit(int[] prompt, int maxTokens, long demand, WeightsPolicy weights, List<String> stops) {
        return submit("c", prompt, maxTokens, demand, weights, stops);
    }

    FakeClient submit(Object connection, int[] prompt, int maxTokens, long demand) {
        return submit(connection, prompt, maxTokens, demand, WeightsPolicy.PIN, List.of());
    }

    FakeClient submit(
            Object connection, int[] prompt, int maxTokens, long demand, WeightsPolicy weights, List<String> stops) {
        return submit(new FakeClient(demand), connection, prompt, maxTokens, weights, stops);
    }

    FakeClient submit(
            FakeClient client, Object connection, int[] prompt, int maxTokens, WeightsPolicy weights, List<String> stops) {
        scheduler.submit(new SequenceRequest(
                ++lastStream,
                connection,
                prompt,
                maxTokens,
                weights,
                new Sampler(KernelSelection.fastest(), SamplingParams.greedy(), FakeLanguageModel.VOCABULARY, prompt),
                tokenizer.newDetokenizer(),
                new StopMatcher(stops),
                tokenizer::isEndOfGeneration,
                MEMORY,
                nowNs,
                client));
        return client;
    }

    /** With weights of some version. */
    FakeClient submit(long weightsVersion, int[] prompt, int maxTokens) {
        FakeClient client = new FakeClient(Integer.MAX_VALUE);
        scheduler.submit(new SequenceRequest(++lastStream, new Party("c", "c"), prompt, maxTokens, -1, WeightsPolicy.PIN,
                new Sampler(KernelSelection.fastest(), SamplingParams.greedy(), FakeLanguageModel.VOCABULARY, prompt),
                tokenizer.newDetokenizer(), new StopMatcher(List.of()), tokenizer::isEndOfGeneration, new int[0], weightsVersion,
                Urgency.DEFAULT, null, MEMORY, nowNs, client));
        return client;
    }

    /** For a client that may have other connections. */
    FakeClient submit(Party party, int[] prompt, int maxTokens, Urgency urgency) {
        return submit(party, prompt, maxTokens, urgency, nowNs);
    }

    /** The same, which came at some time. */
    FakeClient submit(Party party, int[] prompt, int maxTokens, Urgency urgency, long arrivalNs) {
        FakeClient client = new FakeClient(Integer.MAX_VALUE);
        scheduler.submit(new SequenceRequest(++lastStream, party, prompt, maxTokens, -1, WeightsPolicy.PIN,
                new Sampler(KernelSelection.fastest(), SamplingParams.greedy(), FakeLanguageModel.VOCABULARY, prompt),
                tokenizer.newDetokenizer(), new StopMatcher(List.of()), tokenizer::isEndOfGeneration, new int[0], -1, urgency, null, MEMORY,
                arrivalNs, client));
        return client;
    }

    void steps(int count) {
        for (int i = 0; i < count; i++) {
            scheduler.step();
        }
    }

    void runToIdle() {
        while (scheduler.step() > 0) {
            nowNs += MS;
        }
    }

    static int[] prompt(int length, int first) {
        int[] tokens = new int[length];
        for (int i = 0; i < length; i++) {
            tokens[i] = 1 + (first + i * 7) % 100;
        }
        return tokens;
    }
}
