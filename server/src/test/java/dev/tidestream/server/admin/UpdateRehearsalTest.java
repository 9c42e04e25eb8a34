package dev.tidestream.server.admin;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import dev.tidestream.model.tensor.TensorFormat;
import dev.tidestream.model.tied.TiedHeads;
import dev.tidestream.model.transformer.RandomLlama;
import dev.tidestream.protocol.admin.OptimizationMode;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

class UpdateRehearsalTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @TempDir
    private Path data;

    @ParameterizedTest
    @EnumSource(value = TensorFormat.class, names = {"F32", "F16", "Q8_0", "Q4_0"})
    void shouldPractiseAndChangeNothing(TensorFormat format) throws Exception {
        try (DeskFixture fixture = new DeskFixture(data, DeskFixture.Options.DEFAULT.with(new RandomLlama(format).tame()))) {
            Map<String, Long> files = files();
            float[][] embedding = fixture.embedding();
            long bytes = fixture.current().familyBytes();

            assertTrue(fixture.desk.rehearse(() -> false));
            assertTrue(fixture.desk.rehearse(() -> false));

            assertEquals(files, files());
            assertArrayEquals(embedding, fixture.embedding());
            assertEquals(bytes, fixture.current().familyBytes());
            assertEquals(UpdateLog.BASE_VERSION, fixture.epochs.weightsVersion());
            assertEquals(1, fixture.epochs.liveEpochs());
        }
    }

    @Test
    void shouldGoOnToTheNextKindWhenWeightsAreSoLargeThatASumDoesNotFit() throws Exception {
        try (DeskFixture fixture = new DeskFixture(data, DeskFixture.Options.DEFAULT.with(new RandomLlama(TensorFormat.Q8_0)))) {
            Map<String, Long> files = files();
            assertTrue(fixture.desk.rehearse(() -> false));
            assertEquals(files, files());
        }
    }

    @Test
    void shouldHaveNothingToPractiseWithoutADataDirectory() throws Exception {
        try (DeskFixture fixture = new DeskFixture(null)) {
            assertFalse(fixture.desk.rehearse(() -> false));
        }
    }

    @Test
    void shouldGoOnAfterAnUpdate() throws Exception {
        try (DeskFixture fixture = new DeskFixture(data)) {
            assertTrue(fixture.desk.rehearse(() -> false));
            fixture.send(DeskFixture.rows("u-1", UpdateLog.BASE_VERSION, new int[] {3}, new float[DeskFixture.HIDDEN]));
            assertTrue(fixture.desk.rehearse(() -> false));
            assertEquals(2, fixture.epochs.weightsVersion());
        }
    }

    @Test
    void shouldGiveWayToAnAdministrator() throws Exception {
        CountDownLatch building = new CountDownLatch(1);
        CountDownLatch rehearsed = new CountDownLatch(1);
        DeskFixture.Options slowHeads = DeskFixture.Options.DEFAULT.with((mode, config, embedding, kernels, team) -> {
            building.countDown();
            await(rehearsed);
            return TiedHeads.build(mode, config, embedding, kernels, team);
        });
        try (DeskFixture fixture = new DeskFixture(data, slowHeads)) {
            assertTimeoutPreemptively(PATIENCE, () -> {
                FutureTask<Object> toggle = new FutureTask<>(() -> fixture.set(OptimizationMode.CACHED_TRANSPOSE, false));
                Thread.ofPlatform().daemon().start(toggle);
                building.await();
                assertFalse(fixture.desk.rehearse(() -> false));
                rehearsed.countDown();
                toggle.get();
            });
        }
    }

    @Test
    void shouldWaitWhileSomebodyStreamsUntilGivenUp() throws Exception {
        AtomicBoolean givenUp = new AtomicBoolean();
        CountDownLatch waiting = new CountDownLatch(1);
        try (DeskFixture fixture = new DeskFixture(data)) {
            Map<String, Long> files = files();
            fixture.epochs.stepBreak().begin();
            assertTimeoutPreemptively(PATIENCE, () -> {
                FutureTask<Boolean> rehearsal = new FutureTask<>(() -> fixture.desk.rehearse(() -> {
                    waiting.countDown();
                    return givenUp.get();
                }));
                Thread thread = Thread.ofPlatform().daemon().start(rehearsal);
                waiting.await();
                assertFalse(rehearsal.isDone());
                assertEquals(files, files());
                givenUp.set(true);
                LockSupport.unpark(thread);
                assertFalse(rehearsal.get());
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
