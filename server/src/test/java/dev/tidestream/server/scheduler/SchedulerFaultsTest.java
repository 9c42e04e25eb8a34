package dev.tidestream.server.scheduler;

import java.util.List;

import org.junit.jupiter.api.Test;

import dev.tidestream.model.kernels.KernelSelection;
import dev.tidestream.model.sampling.Sampler;
import dev.tidestream.model.sampling.SamplingParams;
import dev.tidestream.model.sampling.StopMatcher;
import dev.tidestream.model.tied.HeadMode;
import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.protocol.WeightsPolicy;
import dev.tidestream.protocol.options.Urgency;
import dev.tidestream.server.FakeLanguageModel;
import dev.tidestream.server.epoch.ModelEpoch;
import dev.tidestream.server.scheduler.fair.Party;

import static dev.tidestream.server.scheduler.SchedulerFixture.prompt;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Whom a failure ends, and whom not. */
class SchedulerFaultsTest {
    private static final long PLENTY = 1_000_000;

    @Test
    void shouldKeepAFailedPassToItsOwnSequences() {
        SchedulerFixture f = new SchedulerFixture();
        FakeClient old = f.submit(prompt(5, 0), 8, PLENTY);
        f.steps(1);
        FakeLanguageModel next = new FakeLanguageModel(256, 64, 2);
        f.epochs.publish(new ModelEpoch(2, HeadMode.PACKED, next, () -> { }));
        FakeClient failing = f.submit(prompt(5, 0), 8, PLENTY);
        next.beforePass(slices -> {
            throw new OutOfMemoryError("as if");
        });
        f.steps(1);
        assertEquals(ErrorCode.INTERNAL, failing.error);
        next.beforePass(slices -> { });
        FakeClient later = f.submit(prompt(5, 0), 8, PLENTY);
        f.runToIdle();
        assertEquals(8, old.tokens.size());
        assertEquals(8, later.tokens.size());
        assertEquals(0, f.pool.usedBytes());
    }

    @Test
    void shouldKeepFailedSamplingToItsOwnSequence() {
        SchedulerFixture f = new SchedulerFixture();
        FakeClient poisoned = f.submit(new int[] {FakeLanguageModel.POISON, 5}, 8, PLENTY);
        FakeClient good = f.submit(prompt(5, 0), 8, PLENTY);
        f.runToIdle();
        assertEquals(ErrorCode.INTERNAL, poisoned.error);
        assertEquals("the model computes no usable logits: logit is not a finite number: token=0, logit=NaN, weights_version=1",
                poisoned.message);
        assertTrue(poisoned.tokens.isEmpty());
        assertEquals(f.model.continuation(prompt(5, 0), 8), good.ids());
        assertEquals(0, f.pool.usedBytes());
    }

    @Test
    void shouldFailEverySequenceWhenToldTo() {
        SchedulerFixture f = new SchedulerFixture(1, 4, 8, 8);
        FakeClient running = f.submit(prompt(5, 0), 9, PLENTY);
        f.steps(1);
        FakeClient queued = f.submit(prompt(5, 0), 9, PLENTY);
        f.scheduler.failAll(ErrorCode.SHUTTING_DOWN, "bye");
        assertEquals(ErrorCode.SHUTTING_DOWN, running.error);
        assertEquals(ErrorCode.SHUTTING_DOWN, queued.error);
        assertEquals(0, f.pool.usedBytes());
        assertTrue(f.scheduler.isEmpty());
    }

    @Test
    void shouldFailEverySequenceThoughOneThrows() {
        SchedulerFixture f = new SchedulerFixture(2, 4, 8, 16);
        FakeClient throwing = f.submit(prompt(5, 0), 9, PLENTY);
        FakeClient running = f.submit(prompt(5, 0), 9, PLENTY);
        f.steps(1);
        FakeClient queued = f.submit(prompt(5, 0), 9, PLENTY);
        throwing.throwsWhenFailed = true;
        f.scheduler.failAll(ErrorCode.SHUTTING_DOWN, "bye");
        assertEquals(ErrorCode.SHUTTING_DOWN, throwing.error);
        assertEquals(ErrorCode.SHUTTING_DOWN, running.error);
        assertEquals(ErrorCode.SHUTTING_DOWN, queued.error);
        assertEquals(0, f.pool.usedBytes());
        assertTrue(f.scheduler.isEmpty());
    }

    @Test
    void shouldFailEverySequenceThoughWhatOneHeldIsNotGivenBack() {
        SchedulerFixture f = new SchedulerFixture(2, 4, 8, 16);
        f.epochs.publish(new ModelEpoch(2, HeadMode.PACKED, f.model, () -> {
            throw new OutOfMemoryError("as if");
        }));
        FakeClient lastOfItsEpoch = f.submit(prompt(5, 0), 9, PLENTY);
        f.steps(1);
        f.epochs.publish(new ModelEpoch(3, HeadMode.PACKED, f.model, () -> { }));
        FakeClient running = f.submit(prompt(5, 0), 9, PLENTY);
        f.steps(1);
        FakeClient queued = f.submit(prompt(5, 0), 9, PLENTY);
        f.scheduler.failAll(ErrorCode.SHUTTING_DOWN, "bye");
        assertEquals(ErrorCode.SHUTTING_DOWN, lastOfItsEpoch.error);
        assertEquals(ErrorCode.SHUTTING_DOWN, running.error);
        assertEquals(ErrorCode.SHUTTING_DOWN, queued.error);
        assertEquals(0, f.pool.usedBytes());
        assertTrue(f.scheduler.isEmpty());
        assertEquals(1, f.epochs.liveEpochs());
    }

    /** A sequence that gets no memory gives back what it had: others may go on with that, so the loop must not wait. */
    @Test
    void shouldCountAFailureForWantOfMemoryAsProgress() {
        SchedulerFixture f = new SchedulerFixture();
        f.pool.close(); // it lends no block any more
        FakeClient client = f.submit(prompt(5, 0), 8, PLENTY);
        assertEquals(1, f.scheduler.step());
        assertEquals(ErrorCode.INTERNAL, client.error);
        assertEquals(0, f.scheduler.step());
        assertTrue(f.scheduler.isEmpty());
    }

    @Test
    @SuppressWarnings("NullAway") // a request that nobody can make a sequence of
    void shouldGiveTheLeaseBackOfARequestThatMakesNoSequence() {
        SchedulerFixture f = new SchedulerFixture();
        SequenceRequest broken = new SequenceRequest(1, new Party("c", "c"), prompt(5, 0), 8, -1, WeightsPolicy.PIN,
                new Sampler(KernelSelection.fastest(), SamplingParams.greedy(), FakeLanguageModel.VOCABULARY, prompt(5, 0)),
                f.tokenizer.newDetokenizer(), new StopMatcher(List.of()), f.tokenizer::isEndOfGeneration,
                null, -1, Urgency.DEFAULT, null, SchedulerFixture.MEMORY, f.nowNs, new FakeClient(PLENTY));
        assertThrows(NullPointerException.class, () -> f.scheduler.submit(broken));
        f.epochs.publish(new ModelEpoch(2, HeadMode.PACKED, f.model, () -> { }));
        assertEquals(1, f.epochs.liveEpochs());
    }
}
