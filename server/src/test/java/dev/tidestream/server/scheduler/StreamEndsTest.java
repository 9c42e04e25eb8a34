package dev.tidestream.server.scheduler;

import java.util.ArrayList;
import java.util.List;

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

/** However a stream ends, the observer hears of it, once. */
class StreamEndsTest {
    private static final long MS = SchedulerFixture.MS;

    private final FakeLanguageModel model = new FakeLanguageModel(256, 64, 1);
    private final CurrentEpoch epochs = new CurrentEpoch(new ModelEpoch(3, HeadMode.PACKED, model, () -> { }));
    private final KvCachePool pool = new KvCachePool(model.kvCacheShape(), 64 * model.kvCacheShape().blockBytes());
    private final FakeTokenizer tokenizer = new FakeTokenizer();
    private final List<StreamEnd> ends = new ArrayList<>();
    private final List<String> steps = new ArrayList<>();
    private long nowNs = MS;
    private long streams;

    private final Scheduler scheduler = new Scheduler(SchedulerFixture.config(4, 4, 8), epochs, pool, () -> nowNs, new TokenObserver() {
        @Override
        public void firstToken(long nanos) {}

        @Override
        public void nextToken(long nanos) {}

        @Override
        public void stepped(long nanos, int rows, int decodedRows) {
            steps.add(rows + "/" + decodedRows);
        }

        @Override
        public void ended(StreamEnd end) {
            ends.add(end);
        }
    }, WorkerTeam.sequential());

    private FakeClient submit(int[] prompt, int maxTokens, long demand) {
        FakeClient client = new FakeClient(demand);
        scheduler.submit(new SequenceRequest(++streams, "c", prompt, maxTokens, WeightsPolicy.PIN,
                new Sampler(KernelSelection.fastest(), SamplingParams.greedy(), FakeLanguageModel.VOCABULARY, prompt),
                tokenizer.newDetokenizer(), new StopMatcher(List.of()), tokenizer::isEndOfGeneration, SchedulerFixture.MEMORY,
                nowNs, client));
        return client;
    }

    private void run() {
        while (scheduler.step() > 0) {
            nowNs += MS;
        }
        scheduler.step();
    }

    private StreamEnd only() {
        assertEquals(1, ends.size(), ends.toString());
        return ends.getFirst();
    }

    @Test
    void shouldTellOfTheLastToken() {
        submit(SchedulerFixture.prompt(5, 1), 3, 100);
        run();
        StreamEnd end = only();
        assertEquals(StreamEnd.Outcome.LENGTH, end.outcome());
        assertEquals(5, end.usage().promptTokens());
        assertEquals(3, end.usage().completionTokens());
        assertEquals(3, end.weightsVersion());
        assertEquals(2, end.timing().totalMs());
        assertEquals(List.of("5/0", "1/1", "1/1"), steps);
    }

    @Test
    void shouldTellOfAClientThatLeft() {
        FakeClient client = submit(SchedulerFixture.prompt(5, 1), 100, 2);
        run();
        client.cancelled = true;
        run();
        assertEquals(StreamEnd.Outcome.LEFT, only().outcome());
        assertEquals(1, only().usage().completionTokens());
    }

    @Test
    void shouldTellOfAStopWhenTheClientHears() {
        FakeClient client = submit(SchedulerFixture.prompt(5, 1), 100, 2);
        run();
        client.stopRequested = true;
        run();
        assertEquals(List.of(), ends);
        client.demand++;
        run();
        assertEquals(StreamEnd.Outcome.CANCELLED, only().outcome());
    }

    @Test
    void shouldTellOfAFailure() {
        submit(new int[] {FakeLanguageModel.POISON, 1}, 5, 100);
        run();
        assertEquals(StreamEnd.Outcome.FAILED, only().outcome());
        assertEquals(ErrorCode.INTERNAL, only().code());
    }

    @Test
    void shouldTellOfAStallThatIsTooLong() {
        submit(SchedulerFixture.prompt(5, 1), 100, 1);
        run();
        nowNs += 2000 * MS;
        run();
        assertEquals(ErrorCode.CREDIT_TIMEOUT, only().code());
    }
}
