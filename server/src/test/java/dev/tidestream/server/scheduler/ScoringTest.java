package dev.tidestream.server.scheduler;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

import org.junit.jupiter.api.Test;

import dev.tidestream.model.kernels.KernelSelection;
import dev.tidestream.model.sampling.Sample;
import dev.tidestream.model.sampling.Sampler;
import dev.tidestream.model.sampling.SamplingParams;
import dev.tidestream.model.sampling.StopMatcher;
import dev.tidestream.model.tied.HeadMode;
import dev.tidestream.model.transformer.LanguageModel.LogitsRows;
import dev.tidestream.model.transformer.LanguageModel.Slice;
import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.protocol.FinishReason;
import dev.tidestream.protocol.WeightsPolicy;
import dev.tidestream.server.FakeLanguageModel;
import dev.tidestream.server.FakeTokenizer;
import dev.tidestream.server.epoch.CurrentEpoch;
import dev.tidestream.server.epoch.ModelEpoch;
import dev.tidestream.server.scheduler.kv.KvCachePool;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** How likely each token of a prompt is, given those before it. */
class ScoringTest {
    private static final float OTHERS = (float) -Math.log(Math.E + FakeLanguageModel.VOCABULARY - 1); // a row is 1 once, else 0

    private final FakeLanguageModel model = new FakeLanguageModel(256, 64, 1);
    private final CurrentEpoch epochs = new CurrentEpoch(new ModelEpoch(1, HeadMode.PACKED, model, () -> { }));
    private long streams;

    private void submit(Scheduler scheduler, FakeClient client, int[] prompt, int maxTokens, int promptLogprobs) {
        FakeTokenizer tokenizer = new FakeTokenizer();
        scheduler.submit(new SequenceRequest(++streams, client, prompt, maxTokens, promptLogprobs, WeightsPolicy.PIN,
                new Sampler(KernelSelection.fastest(), SamplingParams.greedy(), FakeLanguageModel.VOCABULARY, prompt),
                tokenizer.newDetokenizer(), new StopMatcher(List.of()), tokenizer::isEndOfGeneration, SchedulerFixture.MEMORY, 1, client));
    }

    private Scheduler scheduler(KvCachePool pool, int maxSequences) {
        return new Scheduler(SchedulerFixture.config(maxSequences, 16, 64), epochs, pool, () -> 1);
    }

    private KvCachePool pool(int blocks) {
        return new KvCachePool(model.kvCacheShape(), blocks * model.kvCacheShape().blockBytes());
    }

    /** Every other token is the one that the model would have made. */
    private int[] prompt(int length) {
        int[] prompt = new int[length];
        for (int i = 0; i < length; i++) {
            prompt[i] = i > 0 && i % 2 == 0 ? model.continuation(Arrays.copyOf(prompt, i), 1).getFirst() : 1 + i % 200;
        }
        return prompt;
    }

    private void assertScores(int[] prompt, FakeClient client) {
        assertEquals(IntStream.range(1, prompt.length).map(i -> prompt[i]).boxed().toList(),
                client.scores.stream().map(Sample::token).toList());
        for (int i = 1; i < prompt.length; i++) {
            int likeliest = model.continuation(Arrays.copyOf(prompt, i), 1).getFirst();
            Sample score = client.scores.get(i - 1);
            assertEquals(prompt[i] == likeliest ? 1 + OTHERS : OTHERS, score.logprob(), 1e-6f, "token " + i);
            assertEquals(likeliest, score.topTokens()[0]);
            assertEquals(2, score.topTokens().length);
        }
    }

    @Test
    void shouldScoreAPromptAndMakeNoToken() {
        try (KvCachePool pool = pool(64)) {
            Scheduler scheduler = scheduler(pool, 4);
            FakeClient client = new FakeClient(1000);
            int[] prompt = prompt(100);
            submit(scheduler, client, prompt, 0, 2);
            while (scheduler.step() > 0) { }
            assertScores(prompt, client);
            assertEquals(List.of(), client.tokens);
            assertNotNull(client.completion);
            assertEquals(FinishReason.LENGTH, client.completion.reason());
            assertEquals(0, client.completion.usage().completionTokens());
            assertTrue(scheduler.isEmpty());
            assertTrue(model.passes().stream().flatMap(List::stream).filter(slice -> slice.logits() == LogitsRows.ALL)
                    .allMatch(slice -> slice.count() <= BatchComposer.MAX_SCORED_ROWS));
        }
    }

    @Test
    void shouldScoreBesideStreamsAndThenGenerate() {
        try (KvCachePool pool = pool(64)) {
            Scheduler scheduler = scheduler(pool, 4);
            FakeClient scored = new FakeClient(1000);
            FakeClient other = new FakeClient(1000);
            FakeClient streaming = new FakeClient(1000);
            int[] prompt = prompt(50);
            submit(scheduler, streaming, new int[] {9, 8, 7}, 40, -1);
            submit(scheduler, scored, prompt, 5, 2);
            submit(scheduler, other, prompt(33), 3, 2);
            while (scheduler.step() > 0) { }
            assertScores(prompt, scored);
            assertScores(prompt(33), other);
            assertEquals(model.continuation(prompt, 5), scored.ids());
            assertEquals(model.continuation(prompt(33), 3), other.ids());
            assertEquals(model.continuation(new int[] {9, 8, 7}, 40), streaming.ids());
        }
    }

    /** One without demand loses its KV blocks to others; what was told already is computed again, and not told again. */
    @Test
    void shouldGoOnAfterItHadNoDemand() {
        try (KvCachePool pool = pool(4)) {
            Scheduler scheduler = scheduler(pool, 1);
            FakeClient scored = new FakeClient(3); // accepted, and two pieces
            int[] prompt = prompt(60);
            submit(scheduler, scored, prompt, 2, 2);
            while (scheduler.step() > 0) { }
            assertEquals(2 * BatchComposer.MAX_SCORED_ROWS, scored.scores.size());
            FakeClient other = new FakeClient(1000);
            submit(scheduler, other, prompt(90), 10, -1);
            while (scheduler.step() > 0) { }
            assertEquals(10, other.tokens.size());
            scored.demand = 1000;
            while (scheduler.step() > 0) { }
            assertScores(prompt, scored);
            assertEquals(model.continuation(prompt, 2), scored.ids());
        }
    }

    @Test
    void shouldEndAtOnceWithNothingToDo() {
        try (KvCachePool pool = pool(4)) {
            Scheduler scheduler = scheduler(pool, 1);
            FakeClient plain = new FakeClient(10);
            FakeClient single = new FakeClient(10);
            submit(scheduler, plain, prompt(20), 0, -1);
            submit(scheduler, single, prompt(1), 0, 2);
            scheduler.step();
            scheduler.step();
            assertNotNull(plain.completion);
            assertNotNull(single.completion);
            assertEquals(List.of(), model.passes().stream().flatMap(List<Slice>::stream).toList());
        }
    }

    @Test
    void shouldFailWithTheModel() {
        try (KvCachePool pool = pool(4)) {
            Scheduler scheduler = scheduler(pool, 1);
            FakeClient client = new FakeClient(10);
            submit(scheduler, client, new int[] {FakeLanguageModel.POISON, 2, 3}, 0, 0);
            while (scheduler.step() > 0) { }
            assertEquals(ErrorCode.INTERNAL, client.error);
            assertTrue(scheduler.isEmpty());
        }
    }
}
