package dev.tidestream.server.admin.service;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.model.tied.HeadMode;
import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.model.transformer.TestModels;
import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.protocol.admin.OptimizationMode;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.admin.TrialsDesk;
import dev.tidestream.server.admin.UpdatesDesk;
import dev.tidestream.server.admin.build.VersionLimit;
import dev.tidestream.server.admin.store.directory.Sha256;
import dev.tidestream.server.canary.CanaryEnd;
import dev.tidestream.server.canary.CanarySpec;
import dev.tidestream.server.canary.RollbackRule;
import dev.tidestream.server.canary.ShadowLimits;
import dev.tidestream.server.canary.ShadowSpec;
import dev.tidestream.server.canary.Trials;
import dev.tidestream.server.epoch.Lease;

import static dev.tidestream.server.admin.service.DeskFixture.code;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Versions that are held, in memory and on disk, and who publishes and tries them. */
class TrialServiceTest {
    private static final int H = DeskFixture.HIDDEN;
    private static final int[] PROMPT = {3, 1, 4, 1, 5};

    @TempDir
    Path data;

    private static DeskFixture.Options live(int versions) {
        return DeskFixture.Options.DEFAULT.with(new VersionLimit(versions, Duration.ZERO));
    }

    private static TrialsDesk trials(DeskFixture f) {
        return f.desk.trials(Trials.over(f.epochs, DeskFixture::forward, new ShadowLimits(1, 4, 1 << 20), Runnable::run,
                InstantSource.system()));
    }

    /** A safetensors file with another norm. */
    private static byte[] norm(String name, float value) {
        byte[] header = "{\"%s\":{\"dtype\":\"F32\",\"shape\":[%d],\"data_offsets\":[0,%d]}}"
                .formatted(name, H, 4 * H).getBytes(StandardCharsets.UTF_8);
        ByteBuffer file = ByteBuffer.allocate(8 + header.length + 4 * H).order(ByteOrder.LITTLE_ENDIAN);
        file.putLong(header.length).put(header);
        for (int i = 0; i < H; i++) {
            file.putFloat(value);
        }
        return file.array();
    }

    private static UpdatesDesk.Committed commit(DeskFixture f, String id, float value, boolean hold) throws AdminException {
        return commit(f, id, f.epochs.weightsVersion(), hold, norm("output_norm.weight", value));
    }

    private static UpdatesDesk.Committed commit(DeskFixture f, String id, long base, boolean hold, byte[] part) throws AdminException {
        UpdatesDesk updates = f.desk.updates().orElseThrow();
        updates.open(new UpdatesDesk.Opening(id, base, "", Optional.empty(), hold));
        try (UpdatesDesk.PartUpload upload = updates.receive(id, 0, Sha256.of(part), part.length).orElseThrow()) {
            upload.accept(ByteBuffer.wrap(part));
            upload.finish();
        }
        return updates.commit(id, OptionalInt.of(1), Optional.empty());
    }

    private static List<Long> inMemory(DeskFixture f) {
        return new ArrayList<>(f.epochs.held());
    }

    private static float[] logits(LoadedModel model) {
        return TestModels.logits(DeskFixture.forward(model), PROMPT, PROMPT.length);
    }

    @Test
    void shouldLetTheOldestLeaveMemoryAndBringItBackWithTheSameBits() throws Exception {
        try (DeskFixture f = new DeskFixture(data, live(4))) {
            TrialsDesk desk = trials(f);
            assertTrue(commit(f, "a", 1.5f, true).held());
            float[] held;
            try (Lease lease = f.epochs.lease(2).orElseThrow()) {
                held = logits(lease.epoch().loaded());
            }
            commit(f, "b", 2, true);
            commit(f, "c", 3, true);
            assertEquals(List.of(3L, 4L), inMemory(f));
            assertTrue(f.desk.versions().find(2).held() && !f.desk.versions().find(2).live());
            assertTrue(desk.publish(2));
            assertFalse(desk.publish(2));
            assertEquals(2, f.epochs.weightsVersion());
            assertArrayEquals(held, logits(f.current()));
            UpdatesDesk.Committed again = f.desk.updates().orElseThrow().commit("c", OptionalInt.empty(), Optional.empty());
            assertTrue(again.repeated() && again.held(), again.toString());
            assertFalse(commit(f, "d", 4, false).held());
            assertEquals(5, f.epochs.weightsVersion());
            assertEquals(List.of(), inMemory(f));
            assertEquals(AdminErrorCode.UNKNOWN_VERSION, code(() -> desk.publish(4)));
        }
    }

    @Test
    void shouldKeepWhatIsInUse() throws Exception {
        try (DeskFixture f = new DeskFixture(data, live(4))) {
            TrialsDesk desk = trials(f);
            commit(f, "a", 1.5f, true);
            commit(f, "b", 2, true);
            desk.begin(new CanarySpec(2, 0.5, CanarySpec.By.KEY, RollbackRule.NON_FINITE_ONLY));
            commit(f, "c", 3, true);
            assertEquals(List.of(2L, 4L), inMemory(f), "version 2 has a canary");
            try (Lease _ = f.epochs.lease(4).orElseThrow()) {
                assertEquals(AdminErrorCode.TOO_MANY_VERSIONS, code(() -> commit(f, "d", 4, true)));
            }
            assertEquals(2, desk.promote());
            assertEquals(CanaryEnd.PROMOTED, Objects.requireNonNull(desk.canary().orElseThrow().end()).why());
            assertEquals(AdminErrorCode.TRIAL_CONFLICT, code(desk::promote));
        }
    }

    @Test
    void shouldNeedAPlaceBesideTheCurrentVersionAndTheNext() throws Exception {
        try (DeskFixture f = new DeskFixture(data, live(2))) {
            assertEquals(AdminErrorCode.TOO_MANY_VERSIONS, code(() -> commit(f, "a", 1.5f, true)));
            assertEquals(2, commit(f, "b", 1.5f, false).version());
        }
    }

    @Test
    void shouldPublishWithTheHeadModeOfTheServer() throws Exception {
        try (DeskFixture f = new DeskFixture(data, live(4))) {
            commit(f, "a", 1.5f, true);
            f.set(OptimizationMode.CACHED_TRANSPOSE, true);
            assertTrue(trials(f).publish(2));
            assertEquals(HeadMode.CACHED_TRANSPOSE, f.epochs.newest().headMode());
            assertEquals(List.of(), inMemory(f));
            assertEquals("equal", f.desk.versions().verify(2).derived());
            assertTrue(f.desk.versions().verify(2).isSound());
        }
    }

    @Test
    void shouldHaveHeldVersionsInMemoryAfterARestart() throws Exception {
        float[] held;
        try (DeskFixture f = new DeskFixture(data, live(4))) {
            commit(f, "a", 1.5f, true);
            commit(f, "b", 2, true);
            commit(f, "c", 3, true);
            try (Lease lease = f.epochs.lease(4).orElseThrow()) {
                held = logits(lease.epoch().loaded());
            }
        }
        try (DeskFixture f = new DeskFixture(data, live(4))) {
            assertEquals(1, f.epochs.weightsVersion());
            f.desk.restoreHeld();
            assertEquals(List.of(3L, 4L), inMemory(f), "the newest that fit");
            try (Lease lease = f.epochs.lease(4).orElseThrow()) {
                assertArrayEquals(held, logits(lease.epoch().loaded()));
            }
        }
    }

    @Test
    void shouldBuildWhatIsHeldOnWhatIsHeld() throws Exception {
        try (DeskFixture f = new DeskFixture(data, live(4))) {
            commit(f, "a", 1.5f, true);
            byte[] more = norm("blk.0.attn_norm.weight", 2);
            assertEquals(AdminErrorCode.STALE_BASE_VERSION, code(() -> commit(f, "b", 2, false, more)));
            assertEquals(3, commit(f, "b", 2, true, more).version());
            assertEquals(1, f.epochs.weightsVersion());
            assertTrue(trials(f).publish(3));
            float[] both = logits(f.current());
            assertTrue(f.desk.versions().verify(3).isSound());
            f.rollback(1);
            commit(f, "c", 1.5f, false);
            commit(f, "d", f.epochs.weightsVersion(), false, more);
            assertArrayEquals(both, logits(f.current()), "the changes of both");
        }
    }

    @Test
    void shouldRefuseTrialsThatMakeNoSense() throws Exception {
        try (DeskFixture f = new DeskFixture(data, live(4))) {
            TrialsDesk desk = trials(f);
            assertEquals(AdminErrorCode.UNKNOWN_VERSION, code(() -> desk.begin(new ShadowSpec(7, 1))));
            assertEquals(AdminErrorCode.INVALID_VALUE, code(() -> desk.begin(new ShadowSpec(1, 1))));
            commit(f, "a", 1.5f, true);
            assertTrue(desk.begin(new ShadowSpec(2, 1)).runs());
            assertEquals(AdminErrorCode.TRIAL_CONFLICT, code(() -> desk.begin(new ShadowSpec(2, 1))));
            assertFalse(desk.endShadow().orElseThrow().runs());
            assertEquals(Optional.empty(), desk.endCanary());
        }
    }
}
