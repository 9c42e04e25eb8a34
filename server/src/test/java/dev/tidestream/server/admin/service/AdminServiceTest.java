package dev.tidestream.server.admin.service;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.model.tensor.Activations;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.tied.EmbeddingLayer;
import dev.tidestream.model.tied.HeadMode;
import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.protocol.admin.AdminReply;
import dev.tidestream.protocol.admin.AdminRequest;
import dev.tidestream.protocol.admin.OptimizationMode;
import dev.tidestream.protocol.admin.UpdateKind;
import dev.tidestream.server.admin.AdminDesk;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.admin.build.VersionLimit;
import dev.tidestream.server.epoch.Lease;

import static dev.tidestream.server.admin.service.DeskFixture.code;
import static dev.tidestream.server.admin.service.DeskFixture.randomValues;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class AdminServiceTest {
    private static final int V = DeskFixture.VOCABULARY;
    private static final int H = DeskFixture.HIDDEN;
    private static final List<Long> NORM = List.of((long) H);

    @TempDir
    Path data;

    @Test
    void shouldChangeRowsAndNothingElse() throws Exception {
        try (DeskFixture f = new DeskFixture(data)) {
            float[][] before = f.embedding();
            AdminReply.Ack ack = f.send(DeskFixture.rows("a", 1, new int[] {3, 97}, randomValues(2 * H, 1)));
            assertEquals(2, ack.weightsVersion());
            assertEquals(2, f.epochs.weightsVersion());
            float[][] after = f.embedding();
            for (int row = 0; row < V; row++) {
                assertEquals(row == 3 || row == 97, !Arrays.equals(before[row], after[row]), "row " + row);
            }
            assertArrayEquals(Arrays.copyOf(randomValues(2 * H, 1), H), after[3], 0.002f);
            assertTrue(ack.details().get("requantisation_error") instanceof Map<?, ?> error
                            && error.get("max_abs") instanceof Double max && max > 0,
                    ack.toString());
        }
    }

    @Test
    void shouldPublishLookupAndLogitsTogether() throws Exception {
        try (DeskFixture f = new DeskFixture(data)) {
            for (OptimizationMode mode : OptimizationMode.values()) {
                f.set(mode, true);
                long version = f.epochs.weightsVersion();
                float[] row = new float[H];
                row[5] = 1f;
                f.send(DeskFixture.rows("u" + version, version, new int[] {7}, row));
                EmbeddingLayer head = f.current().weights().embedding();
                assertEquals(mode.wireName(), head.mode().wireName());
                float[] looked = new float[H];
                head.lookup(7, looked, 0);
                Activations hidden = new Activations(1, H);
                hidden.reset(1);
                Arrays.fill(hidden.values(), 0, H, 0f);
                hidden.values()[5] = 2f;
                float[] logits = new float[V];
                head.logits(hidden, logits, WorkerTeam.sequential());
                assertEquals(2f * looked[5], logits[7], mode.wireName());
            }
        }
    }

    @Test
    void shouldServeTheSameBitsAfterARestart() throws Exception {
        float[][] embedding;
        float[][] query;
        try (DeskFixture f = new DeskFixture(data)) {
            f.send(DeskFixture.replace("e", 1, DeskFixture.EMBEDDING, DeskFixture.embeddingShape(), randomValues(V * H, 2)));
            f.send(DeskFixture.lowRank("l", 2, 3, randomValues(3 * (V + H), 3)));
            f.send(DeskFixture.replace("q", 3, "blk.0.attn_q.weight", List.of(64L, 64L), randomValues(64 * 64, 4)));
            f.send(DeskFixture.replace("n", 4, "output_norm.weight", NORM, randomValues(H, 5)));
            f.send(DeskFixture.delta("r", 5, DeskFixture.EMBEDDING, DeskFixture.embeddingShape(), randomValues(V * H, 6)));
            f.send(DeskFixture.rows("s", 6, new int[] {0, 50}, randomValues(2 * H, 7)));
            embedding = f.embedding();
            query = DeskFixture.matrix(f.current(), "blk.0.attn_q.weight");
        }
        try (DeskFixture f = new DeskFixture(data)) {
            assertEquals(7, f.epochs.weightsVersion());
            assertArrayEquals(embedding, f.embedding());
            assertArrayEquals(query, DeskFixture.matrix(f.current(), "blk.0.attn_q.weight"));
            assertArrayEquals(randomValues(H, 5), f.current().weights().outputNorm().weight());
        }
    }

    @Test
    void shouldGoBackToAnOlderVersion() throws Exception {
        try (DeskFixture f = new DeskFixture(data)) {
            float[][] base = f.embedding();
            f.send(DeskFixture.replace("a", 1, DeskFixture.EMBEDDING, DeskFixture.embeddingShape(), randomValues(V * H, 2)));
            float[][] second = f.embedding();
            f.send(DeskFixture.rows("b", 2, new int[] {1}, randomValues(H, 3)));
            f.send(DeskFixture.replace("n", 3, "output_norm.weight", NORM, randomValues(H, 5)));
            assertEquals(5, f.rollback(2).weightsVersion());
            assertArrayEquals(second, f.embedding());
            assertNotEquals(randomValues(H, 5)[0], f.current().weights().outputNorm().weight()[0]);
            assertEquals(6, f.rollback(1).weightsVersion());
            assertArrayEquals(base, f.embedding());
            assertEquals(7, f.rollback(4).weightsVersion());
            assertArrayEquals(randomValues(H, 5), f.current().weights().outputNorm().weight());
            assertEquals(AdminErrorCode.UNKNOWN_VERSION, code(() -> f.rollback(8)));
            assertEquals(AdminErrorCode.UNKNOWN_VERSION, code(() -> f.rollback(7)));
        }
        try (DeskFixture f = new DeskFixture(data)) {
            assertEquals(7, f.epochs.weightsVersion());
            assertArrayEquals(randomValues(H, 5), f.current().weights().outputNorm().weight());
        }
    }

    @Test
    void shouldApplyARepeatedUpdateOnce() throws Exception {
        try (DeskFixture f = new DeskFixture(data)) {
            DeskFixture.Update update = DeskFixture.rows("a", 1, new int[] {3}, randomValues(H, 1));
            assertEquals(false, f.send(update).details().get("repeated"));
            AdminReply.Ack again = f.send(update);
            assertEquals(true, again.details().get("repeated"));
            assertEquals(2L, again.details().get("update_version"));
            assertEquals(2, f.epochs.weightsVersion());
            assertEquals(AdminErrorCode.UPDATE_CONFLICT,
                    code(() -> f.send(DeskFixture.rows("a", 2, new int[] {4}, randomValues(H, 1)))));
        }
    }

    @Test
    void shouldSayWhatTheOutputOfATiedModelIs() throws Exception {
        try (DeskFixture f = new DeskFixture(data)) {
            AdminException refused = assertThrows(AdminException.class,
                    () -> f.send(DeskFixture.replace("a", 1, "output.weight", DeskFixture.embeddingShape(), randomValues(V * H, 1))));
            assertEquals(AdminErrorCode.UNKNOWN_TENSOR, refused.code());
            assertEquals("the model has no such tensor: tensor=output.weight"
                    + " (its output head is tied to token_embd.weight: an update of that changes both)", refused.getMessage());
        }
    }

    @Test
    void shouldRefuseWithoutAnyChange() throws Exception {
        try (DeskFixture f = new DeskFixture(data)) {
            float[][] before = f.embedding();
            LoadedModel served = f.current();
            long bytes = served.familyBytes();
            List<Long> shape = DeskFixture.embeddingShape();
            float[] notFinite = randomValues(V * H, 1);
            notFinite[4321] = Float.NaN;
            assertEquals(AdminErrorCode.NON_FINITE, code(() -> f.send(DeskFixture.delta("a", 1, DeskFixture.EMBEDDING, shape, notFinite))));
            assertEquals(AdminErrorCode.STALE_BASE_VERSION,
                    code(() -> f.send(DeskFixture.rows("a", 2, new int[] {3}, randomValues(H, 1)))));
            assertEquals(AdminErrorCode.UNKNOWN_TENSOR,
                    code(() -> f.send(DeskFixture.replace("a", 1, "nobody.weight", NORM, randomValues(H, 1)))));
            assertEquals(AdminErrorCode.INVALID_SHAPE,
                    code(() -> f.send(DeskFixture.replace("a", 1, DeskFixture.EMBEDDING, List.of(10L, 64L), randomValues(640, 1)))));
            assertEquals(AdminErrorCode.INVALID_SHAPE, code(() -> f.send(DeskFixture.update(
                    "a", 1, "output_norm.weight", UpdateKind.LOW_RANK, List.of(64L, 1L), 1, new byte[4 * 65]))));
            assertEquals(AdminErrorCode.INVALID_VALUE,
                    code(() -> f.send(DeskFixture.rows("a", 1, new int[] {3, 3}, randomValues(2 * H, 1)))));
            assertEquals(AdminErrorCode.INVALID_VALUE,
                    code(() -> f.send(DeskFixture.rows("a", 1, new int[] {V}, randomValues(H, 1)))));
            DeskFixture.Update damaged = DeskFixture.rows("a", 1, new int[] {3}, randomValues(H, 1));
            damaged.payload()[9] ^= 1;
            assertEquals(AdminErrorCode.CHECKSUM_MISMATCH, code(() -> f.send(damaged)));
            assertSame(f, served, before, bytes);
            assertEquals(8, f.events.told.size(), f.events.told.toString());
            assertTrue(f.events.told.stream().allMatch(told -> told.startsWith("refused ")), f.events.told.toString());
        }
    }

    private void assertSame(DeskFixture f, LoadedModel served, float[][] embedding, long bytes) {
        assertEquals(served, f.current());
        assertArrayEquals(embedding, f.embedding());
        assertEquals(1, f.epochs.weightsVersion());
        assertEquals(1, f.epochs.liveEpochs());
        assertEquals(bytes, f.current().familyBytes());
        assertEquals(Set.of("manifest.json", "lock"), files(), "no spool is left");
    }

    private Set<String> files() {
        try (var list = java.nio.file.Files.list(data)) {
            return list.map(path -> path.getFileName().toString()).collect(java.util.stream.Collectors.toSet());
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    @Test
    void shouldGiveUpAPayloadThatIsCutOff() throws Exception {
        try (DeskFixture f = new DeskFixture(data)) {
            DeskFixture.Update update = DeskFixture.rows("a", 1, new int[] {3}, randomValues(H, 1));
            if (!(f.desk.begin(update.request(), DeskFixture.SILENT) instanceof AdminDesk.UpdateStart.Receiving(var upload))) {
                throw new AssertionError();
            }
            try (upload) {
                upload.accept(ByteBuffer.wrap(update.payload(), 0, 100));
                assertEquals(AdminErrorCode.INVALID_LENGTH, code(() -> upload.finish(DeskFixture.SILENT)));
            }
            assertEquals(1, f.epochs.weightsVersion());
            assertEquals(2, f.send(update).weightsVersion());
        }
    }

    @Test
    void shouldRefuseWhatDoesNotFitTheBudget() throws Exception {
        long weights;
        try (DeskFixture f = new DeskFixture(null)) {
            weights = f.current().familyBytes();
        }
        try (DeskFixture f = new DeskFixture(data, DeskFixture.Options.DEFAULT.withBudget(weights + 1000))) {
            AdminException e = assertThrows(AdminException.class, () -> f.set(OptimizationMode.CACHED_TRANSPOSE, true));
            assertEquals(AdminErrorCode.BUDGET_EXCEEDED, e.code());
            assertTrue(String.valueOf(e.getMessage()).contains("held_bytes=" + weights), e.getMessage());
            assertEquals(AdminErrorCode.BUDGET_EXCEEDED,
                    code(() -> f.send(DeskFixture.rows("a", 1, new int[] {3}, randomValues(H, 1)))));
            assertEquals(1, f.epochs.weightsVersion());
        }
    }

    @Test
    void shouldBoundLiveVersionsAndFreeThemAll() throws Exception {
        try (DeskFixture f = new DeskFixture(data)) {
            long bytes = f.current().familyBytes();
            try (Lease first = f.epochs.lease()) {
                f.set(OptimizationMode.CACHED_TRANSPOSE, true);
                try (Lease second = f.epochs.lease()) {
                    f.send(DeskFixture.rows("a", 1, new int[] {3}, randomValues(H, 1)));
                    assertEquals(3, f.epochs.liveEpochs());
                    assertEquals(AdminErrorCode.TOO_MANY_VERSIONS,
                            code(() -> f.send(DeskFixture.rows("b", 2, new int[] {3}, randomValues(H, 2)))));
                    assertEquals(List.of(1L, 1L, 2L), f.epochs.live().stream().map(e -> e.weightsVersion()).toList());
                    assertTrue(f.epochs.live().stream().allMatch(e -> e.bytes() > 0), f.epochs.live().toString());
                    assertEquals(HeadMode.CACHED_TRANSPOSE, second.epoch().headMode());
                }
                assertEquals(HeadMode.PACKED, first.epoch().headMode());
            }
            assertEquals(1, f.epochs.liveEpochs());
            f.set(OptimizationMode.PACKED, true);
            f.rollback(1);
            assertEquals(bytes, f.current().familyBytes());
        }
    }

    @Test
    void shouldWaitForAnOldVersionToEnd() throws Exception {
        VersionLimit patient = new VersionLimit(2, Duration.ofMinutes(1));
        try (DeskFixture f = new DeskFixture(data, DeskFixture.Options.DEFAULT.with(patient))) {
            Lease held = f.epochs.lease();
            f.set(OptimizationMode.CACHED_TRANSPOSE, false);
            AdminReply.Ack ack = f.desk.handle(
                    new AdminRequest.OptimizationSet("x", OptimizationMode.PACKED, false),
                    (stage, done, of) -> {
                        if (stage.equals("waiting_for_versions")) {
                            held.close();
                        }
                    });
            assertEquals(true, ack.details().get("changed"));
        }
    }

    @Test
    void shouldTakeNoUpdatesWithoutADataDirectory() throws Exception {
        try (DeskFixture f = new DeskFixture(null)) {
            assertEquals(AdminErrorCode.NO_DATA_DIR, code(() -> f.send(DeskFixture.rows("a", 1, new int[] {3}, randomValues(H, 1)))));
            assertEquals(AdminErrorCode.NO_DATA_DIR, code(() -> f.rollback(1)));
            assertEquals(true, f.set(OptimizationMode.CACHED_TRANSPOSE, true).details().get("changed"));
        }
    }

    @Test
    void shouldReportStatusHistoryAndStats() throws Exception {
        try (DeskFixture f = new DeskFixture(data)) {
            f.send(DeskFixture.rows("a", 1, new int[] {3}, randomValues(H, 1)));
            f.rollback(1);
            Map<String, Object> status = f.desk.handle(new AdminRequest.OptimizationStatus("s"), DeskFixture.SILENT).details();
            assertEquals("packed", status.get("mode"));
            assertEquals(0L, status.get("optimization_overhead"));
            assertEquals(status.get("embedding_weight_bytes"), status.get("total_bytes"));
            f.set(OptimizationMode.CACHED_TRANSPOSE, true);
            status = f.desk.handle(new AdminRequest.OptimizationStatus("s"), DeskFixture.SILENT).details();
            assertEquals(4L * V * H, status.get("transposed_weight_bytes"));
            assertEquals(4L * V * H, status.get("optimization_overhead"));
            AdminReply.Ack history = f.desk.handle(new AdminRequest.WeightsHistory("h"), DeskFixture.SILENT);
            assertEquals(3, history.weightsVersion());
            assertTrue(history.details().get("versions") instanceof List<?> versions && versions.size() == 2
                    && versions.get(0) instanceof Map<?, ?> update && "a".equals(update.get("update_id"))
                    && versions.get(1) instanceof Map<?, ?> back && Long.valueOf(1).equals(back.get("to_version")), history.toString());
            Map<String, Object> stats = f.desk.handle(new AdminRequest.Stats("s"), DeskFixture.SILENT).details();
            assertTrue(stats.keySet().containsAll(Set.of("optimization", "weights")), stats.toString());
            assertFalse(f.desk.handle(new AdminRequest.WeightsStatus("w"), DeskFixture.SILENT).details().isEmpty());
        }
    }
}
