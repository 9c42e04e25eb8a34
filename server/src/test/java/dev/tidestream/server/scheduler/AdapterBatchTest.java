package dev.tidestream.server.scheduler;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import dev.tidestream.model.adapter.Adapter;
import dev.tidestream.model.adapter.RandomAdapters;
import dev.tidestream.model.kernels.KernelSelection;
import dev.tidestream.model.tensor.KvType;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.transformer.ActivationPrecision;
import dev.tidestream.model.transformer.LanguageModel;
import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.model.transformer.Precision;
import dev.tidestream.model.transformer.TestModels;
import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.server.adapters.ServedAdapter;
import dev.tidestream.server.adapters.TestAdapters;
import dev.tidestream.server.engine.KernelWorkers;
import dev.tidestream.server.scheduler.PlannedStreams.Plan;
import dev.tidestream.server.scheduler.PlannedStreams.Run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Sixteen streams over the base and adapters of all kinds in one batch: each has the bits that it has alone. */
class AdapterBatchTest {
    private static final int STREAMS = 16;
    private static final int PROMPT = 80;
    private static final int COMMON = 64;
    private static final int BLOCKS = 1000;
    private static final String MODEL = "models/stories260K/stories260K.gguf";

    private static List<ServedAdapter> served(LoadedModel loaded) {
        List<ServedAdapter> served = new ArrayList<>();
        for (Adapter adapter : new RandomAdapters(loaded.blueprint(), 4).kinds()) {
            served.add(TestAdapters.served("a" + served.size(), served.size() + 1, adapter));
        }
        return served;
    }

    /** Prompts that begin alike, so that blocks would be shared if nobody looked at adapters. */
    private static List<Plan> plans(List<ServedAdapter> adapters) {
        Random random = new Random(6);
        int[] beginning = random.ints(COMMON, 3, 120).toArray();
        List<Plan> plans = new ArrayList<>();
        for (int i = 0; i < STREAMS; i++) {
            int[] ids = Arrays.copyOf(beginning, PROMPT);
            for (int t = COMMON; t < PROMPT; t++) {
                ids[t] = 3 + random.nextInt(117);
            }
            @Nullable ServedAdapter adapter = i % 5 == 0 ? null : adapters.get(i % 5 - 1);
            plans.add(new Plan(ids, 12, i % 4 == 0 ? 2 : -1, Plan.params(random), "c" + i % 3, adapter));
        }
        return plans;
    }

    @ParameterizedTest
    @CsvSource({"F32, F32, 0", "F32, F32, 0.5", "INT8, F16, 0", "INT8, F16, 0.5"})
    void shouldGiveEveryStreamTheBitsThatItHasAlone(ActivationPrecision body, KvType kvType, double share) {
        try (LoadedModel loaded = TestModels.load(MODEL, KernelSelection.fastest())) {
            List<ServedAdapter> adapters = served(loaded);
            List<Plan> plans = plans(adapters);
            List<FakeClient> expected = new ArrayList<>();
            for (int threads : new int[] {1, 2}) {
                try (KernelWorkers team = new KernelWorkers(threads)) {
                    LanguageModel model = loaded.newTransformer(team, Precision.withExactHead(body, kvType), 64);
                    if (expected.isEmpty()) {
                        plans.forEach(plan -> expected.add(PlannedStreams.alone(model, plan)));
                    }
                    try (Run run = new Run(model, SchedulerFixture.config(STREAMS, 64, 32), BLOCKS, share)) {
                        List<FakeClient> clients = plans.stream()
                                .map(plan -> run.submit(plan, new FakeClient(PlannedStreams.PLENTY))).toList();
                        while (run.step() > 0) { }
                        for (int i = 0; i < STREAMS; i++) {
                            PlannedStreams.assertSame(expected.get(i), clients.get(i), "threads=%d, stream=%d".formatted(threads, i));
                        }
                    }
                }
            }
            Plan first = plans.get(1);
            assertNotEquals(expected.get(1).ids(), PlannedStreams.alone(
                    loaded.newTransformer(WorkerTeam.sequential(), Precision.withExactHead(body, kvType), 64), first.with(null)).ids());
            adapters.forEach(TestAdapters::unload);
        }
    }

    @Test
    void shouldShareBlocksOfTheSameAdapterOnly() {
        try (LoadedModel loaded = TestModels.load(MODEL, KernelSelection.fastest())) {
            List<ServedAdapter> adapters = served(loaded);
            LanguageModel model = loaded.newTransformer(
                    WorkerTeam.sequential(), Precision.withExactHead(ActivationPrecision.F32, KvType.F32), 64);
            Plan base = plans(adapters).getFirst().with(null);
            Plan plan = new Plan(base.prompt(), 2, -1, base.params(), "c");
            try (Run run = new Run(model, SchedulerFixture.config(1, 64, 64), BLOCKS, 1)) {
                assertEquals(0, cached(run, plan));
                assertEquals(COMMON, cached(run, plan));
                assertEquals(COMMON, cached(run, plan.with(adapters.get(1))), "it changes logits alone");
                assertEquals(0, cached(run, plan.with(adapters.getFirst())));
                assertEquals(COMMON, cached(run, plan.with(adapters.getFirst())));
                assertEquals(0, cached(run, plan.with(adapters.get(2))));
                assertEquals(COMMON, cached(run, plan));
            }
            adapters.forEach(TestAdapters::unload);
        }
    }

    private static int cached(Run run, Plan plan) {
        FakeClient client = run.submit(plan, new FakeClient(PlannedStreams.PLENTY));
        while (run.step() > 0) { }
        Completion completion = client.completion;
        assertNotNull(completion, client.message);
        return completion.usage().cachedTokens();
    }

    @Test
    void shouldLetStreamsFinishWhoseAdapterIsUnloaded() {
        try (LoadedModel loaded = TestModels.load(MODEL, KernelSelection.fastest())) {
            ServedAdapter adapter = served(loaded).getFirst();
            LanguageModel model = loaded.newTransformer(
                    WorkerTeam.sequential(), Precision.withExactHead(ActivationPrecision.F32, KvType.F32), 64);
            Plan plan = plans(List.of(adapter, adapter, adapter, adapter)).get(1);
            FakeClient expected = PlannedStreams.alone(model, plan);
            try (Run run = new Run(model, SchedulerFixture.config(2, 64, 64), BLOCKS, 0)) {
                FakeClient client = run.submit(plan, new FakeClient(PlannedStreams.PLENTY));
                assertTrue(run.step() > 0);
                assertEquals(1, adapter.status().streams());
                TestAdapters.unload(adapter);
                FakeClient late = run.submit(plan, new FakeClient(PlannedStreams.PLENTY));
                while (run.step() > 0) { }
                PlannedStreams.assertSame(expected, client, "unloaded while it ran");
                assertNotNull(late.completion, "the other one kept its memory");
                FakeClient tooLate = run.submit(plan, new FakeClient(PlannedStreams.PLENTY));
                assertEquals(ErrorCode.UNKNOWN_ADAPTER, tooLate.error);
                assertEquals(0, adapter.status().streams());
            }
        }
    }
}
