package dev.tidestream.server.scheduler;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;

import org.junit.jupiter.api.Test;

import dev.tidestream.model.kernels.KernelSelection;
import dev.tidestream.model.sampling.Sampler;
import dev.tidestream.model.sampling.SamplingParams;
import dev.tidestream.model.sampling.StopMatcher;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.tied.HeadMode;
import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.protocol.WeightsPolicy;
import dev.tidestream.server.FakeLanguageModel;
import dev.tidestream.server.FakeTokenizer;
import dev.tidestream.server.epoch.CurrentEpoch;
import dev.tidestream.server.epoch.ModelEpoch;
import dev.tidestream.server.scheduler.kv.KvCachePool;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Streams have the same tokens whether their sampling was shared or not, and a failed sample stays with its own stream. */
class BatchSamplerTest {
    private static final int STREAMS = 12;

    @Test
    void shouldDrawTheSameTokensWithATeam() {
        AtomicInteger regions = new AtomicInteger();
        List<List<Integer>> shared = run(new WorkerTeam() {
            @Override
            public int size() {
                return 4;
            }

            @Override
            public void forEachRange(int items, int grain, RangeTask task) {
                regions.incrementAndGet();
                IntStream.range(0, items).parallel().forEach(i -> task.run(i, i + 1));
            }
        });
        assertEquals(run(WorkerTeam.sequential()), shared);
        assertTrue(regions.get() > 0);
        assertTrue(shared.stream().distinct().count() > STREAMS / 2, shared.toString());
    }

    private static List<List<Integer>> run(WorkerTeam team) {
        FakeLanguageModel model = new FakeLanguageModel(256, 64, 1);
        CurrentEpoch epochs = new CurrentEpoch(new ModelEpoch(1, HeadMode.PACKED, model, () -> { }));
        try (KvCachePool pool = new KvCachePool(model.kvCacheShape(), 64 * model.kvCacheShape().blockBytes())) {
            Scheduler scheduler = new Scheduler(
                    SchedulerFixture.config(16, 16, 64), epochs, pool, () -> 1, TokenObserver.NONE, team);
            List<FakeClient> clients = new ArrayList<>();
            for (int i = 0; i < STREAMS; i++) {
                clients.add(new FakeClient(1000));
                int[] prompt = {i == 5 ? FakeLanguageModel.POISON : 1 + i, 2, 3};
                SamplingParams params = new SamplingParams(
                        3f, i % 3 * 20, i % 2 == 0 ? 1f : 0.9f, 0f, 1.1f, 0f, 0f, Map.of(0, Float.NEGATIVE_INFINITY), i, i % 4 - 1);
                FakeTokenizer tokenizer = new FakeTokenizer();
                scheduler.submit(new SequenceRequest(i, "c", prompt, 20, WeightsPolicy.PIN,
                        new Sampler(KernelSelection.fastest(), params, FakeLanguageModel.VOCABULARY, prompt), tokenizer.newDetokenizer(),
                        new StopMatcher(List.of()), tokenizer::isEndOfGeneration, SchedulerFixture.MEMORY, 1, clients.get(i)));
            }
            while (scheduler.step() > 0) { }
            assertTrue(scheduler.isEmpty());
            for (int i = 0; i < STREAMS; i++) {
                assertEquals(i == 5 ? ErrorCode.INTERNAL : null, clients.get(i).error);
                assertEquals(i == 5 ? 0 : 20, clients.get(i).tokens.size());
            }
            return clients.stream().map(FakeClient::ids).toList();
        }
    }
}
