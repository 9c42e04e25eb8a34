package dev.tidestream.server.admin.service;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.nd4j.Nd4jLowRankProduct;
import dev.tidestream.model.tensor.panel.PanelEditor;
import dev.tidestream.model.tied.TiedHeads;
import dev.tidestream.model.transformer.RandomLlama;
import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.protocol.admin.OptimizationMode;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.admin.store.UpdateLog;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

class UpdateWarmUpTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @TempDir
    private Path data;

    private final Nd4jLowRankProduct product = new Nd4jLowRankProduct();
    private final AtomicInteger products = new AtomicInteger();

    @ParameterizedTest
    @EnumSource(value = TensorFormat.class, names = {"F32", "F16", "Q8_0", "Q4_0"})
    void shouldRunAndChangeNothing(TensorFormat format) throws Exception {
        try (DeskFixture fixture = new DeskFixture(data, DeskFixture.Options.DEFAULT.with(new RandomLlama(format).tame()))) {
            Map<String, Long> files = files();
            float[][] embedding = fixture.embedding();
            long bytes = fixture.current().familyBytes();

            assertTrue(pass(fixture, new ReentrantLock(true)));

            assertTrue(products.get() > 0);
            assertEquals(files, files());
            assertArrayEquals(embedding, fixture.embedding());
            assertEquals(bytes, fixture.current().familyBytes());
            assertEquals(UpdateLog.BASE_VERSION, fixture.epochs.weightsVersion());
            assertEquals(1, fixture.epochs.liveEpochs());
        }
    }

    private boolean pass(DeskFixture fixture, ReentrantLock changes) {
        return warmUp(fixture, fixture.log, () -> {}).pass(fixture::current, changes, () -> false);
    }

    /** Its products are counted; {@code during} runs in each. */
    private UpdateWarmUp warmUp(DeskFixture fixture, @Nullable UpdateLog log, Runnable during) {
        return new UpdateWarmUp(Objects.requireNonNull(log), (a, rows, rank, b, columns, out) -> {
            products.incrementAndGet();
            during.run();
            product.multiply(a, rows, rank, b, columns, out);
        }, fixture.breaks);
    }

    /** So large that a sum does not fit: DELTA, which comes before LOW_RANK, is refused. */
    @Test
    void shouldGoOnToTheNextKindWhenTheWeightsRefuseOne() throws Exception {
        try (DeskFixture fixture = new DeskFixture(data, DeskFixture.Options.DEFAULT.with(new RandomLlama(TensorFormat.Q8_0)))) {
            Map<String, Long> files = files();
            DeskFixture.Update delta = DeskFixture.delta("u", UpdateLog.BASE_VERSION, DeskFixture.EMBEDDING, DeskFixture.embeddingShape(),
                    filled(DeskFixture.VOCABULARY * DeskFixture.HIDDEN));
            assertEquals(AdminErrorCode.NON_FINITE, assertThrows(AdminException.class, () -> fixture.send(delta)).code());
            assertTrue(pass(fixture, new ReentrantLock(true)));
            assertTrue(products.get() > 0);
            assertEquals(files, files());
        }
    }

    private static float[] filled(int length) {
        float[] values = new float[length];
        Arrays.fill(values, 0.005f);
        return values;
    }

    @Test
    void shouldEndWhenAChangeComesWhileItRuns() throws Exception {
        ReentrantLock changes = new ReentrantLock(true);
        AtomicReference<@Nullable Thread> administrator = new AtomicReference<>();
        try (DeskFixture fixture = new DeskFixture(data, DeskFixture.Options.DEFAULT.with(new RandomLlama(TensorFormat.F32).tame()))) {
            assertTimeoutPreemptively(PATIENCE, () -> {
                UpdateWarmUp warmUp = warmUp(fixture, fixture.log, () -> {
                    if (administrator.get() == null) {
                        administrator.set(Thread.ofPlatform().daemon().start(changes::lock));
                        awaitQueued(changes);
                    }
                });
                assertFalse(warmUp.pass(fixture::current, changes, () -> false));
                Objects.requireNonNull(administrator.get()).join(); // it has the lock
            });
            int panels = Math.ceilDiv(DeskFixture.VOCABULARY, PanelEditor.PANEL_ROWS); // a product each
            assertEquals(panels, products.get(), "the round that had begun, and no other");
        }
    }

    private static void awaitQueued(ReentrantLock lock) {
        while (!lock.hasQueuedThreads()) {
            Thread.onSpinWait();
        }
    }

    @Test
    void shouldLeaveAKindWhenAStreamBegins() throws Exception {
        try (DeskFixture fixture = new DeskFixture(data, DeskFixture.Options.DEFAULT.with(new RandomLlama(TensorFormat.F32).tame()))) {
            AtomicBoolean givenUp = new AtomicBoolean();
            UpdateWarmUp warmUp = warmUp(fixture, fixture.log, () -> {
                fixture.breaks.begin();
                givenUp.set(true); // so that it does not wait for the stream's end
            });
            warmUp.pass(fixture::current, new ReentrantLock(true), givenUp::get);
            assertEquals(4, products.get(), "panels of one round");
        }
    }

    @Test
    void shouldHaveNothingToRunWithoutADataDirectory() throws Exception {
        try (DeskFixture fixture = new DeskFixture(null)) {
            assertFalse(fixture.desk.warmUp(() -> false));
        }
    }

    @Test
    void shouldGoOnAfterAnUpdate() throws Exception {
        try (DeskFixture fixture = new DeskFixture(data)) {
            assertTrue(fixture.desk.warmUp(() -> false));
            fixture.send(DeskFixture.rows("u-1", UpdateLog.BASE_VERSION, new int[] {3}, new float[DeskFixture.HIDDEN]));
            assertTrue(fixture.desk.warmUp(() -> false));
            assertEquals(2, fixture.epochs.weightsVersion());
        }
    }

    @Test
    void shouldGiveWayToAnAdministrator() throws Exception {
        CountDownLatch building = new CountDownLatch(1);
        CountDownLatch warmedUp = new CountDownLatch(1);
        DeskFixture.Options slowHeads = DeskFixture.Options.DEFAULT.with((mode, config, embedding, kernels, team) -> {
            building.countDown();
            await(warmedUp);
            return TiedHeads.build(mode, config, embedding, kernels, team);
        });
        try (DeskFixture fixture = new DeskFixture(data, slowHeads)) {
            assertTimeoutPreemptively(PATIENCE, () -> {
                FutureTask<Object> toggle = new FutureTask<>(() -> fixture.set(OptimizationMode.CACHED_TRANSPOSE, false));
                Thread.ofPlatform().daemon().start(toggle);
                building.await();
                assertFalse(fixture.desk.warmUp(() -> false));
                warmedUp.countDown();
                toggle.get();
            });
        }
    }

    @Test
    void shouldWaitWhileSomebodyStreams() throws Exception {
        try (DeskFixture fixture = new DeskFixture(data, DeskFixture.Options.DEFAULT.with(new RandomLlama(TensorFormat.F32).tame()))) {
            fixture.breaks.begin();
            assertTimeoutPreemptively(PATIENCE, () -> {
                FutureTask<Boolean> warmUp = new FutureTask<>(() -> pass(fixture, new ReentrantLock(true)));
                Thread thread = Thread.ofPlatform().daemon().start(warmUp);
                while (LockSupport.getBlocker(thread) != fixture.breaks) {
                    assertFalse(warmUp.isDone());
                    Thread.onSpinWait();
                }
                assertEquals(0, products.get());
                fixture.breaks.rest();
                assertTrue(warmUp.get());
                assertTrue(products.get() > 0);
            });
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /** Sizes of the files of the data directory. */
    private Map<String, Long> files() throws Exception {
        Map<String, Long> sizes = new TreeMap<>();
        try (Stream<Path> all = Files.list(data)) {
            for (Path file : (Iterable<Path>) all::iterator) {
                sizes.put(file.getFileName().toString(), Files.size(file));
            }
        }
        return sizes;
    }
}
