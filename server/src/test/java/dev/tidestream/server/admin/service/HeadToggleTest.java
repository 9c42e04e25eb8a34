package dev.tidestream.server.admin.service;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.tensor.KvType;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.tied.HeadMode;
import dev.tidestream.model.tied.TiedHeads;
import dev.tidestream.model.transformer.ActivationPrecision;
import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.model.transformer.Precision;
import dev.tidestream.model.transformer.RandomLlama;
import dev.tidestream.model.transformer.TestModels;
import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.protocol.admin.AdminRequest;
import dev.tidestream.protocol.admin.OptimizationMode;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.epoch.Lease;

import static dev.tidestream.server.admin.service.DeskFixture.code;
import static dev.tidestream.server.admin.service.DeskFixture.randomValues;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Head modes that are set while the server runs. */
class HeadToggleTest {
    private static final int V = DeskFixture.VOCABULARY;
    private static final int H = DeskFixture.HIDDEN;
    private static final List<Long> NORM = List.of((long) H);

    @TempDir
    Path data;

    @ParameterizedTest
    @EnumSource(OptimizationMode.class)
    void shouldVerifyAndReportAToggle(OptimizationMode mode) throws Exception {
        try (DeskFixture f = new DeskFixture(data)) {
            f.recent.record(randomValues(H, 9), 0);
            OptimizationMode from = mode == OptimizationMode.PACKED ? OptimizationMode.CACHED_TRANSPOSE : OptimizationMode.PACKED;
            f.set(from, false);
            long bytes = f.current().bytes();
            Map<String, Object> details = f.set(mode, true).details();
            assertEquals(from.wireName(), details.get("previous_mode"));
            assertEquals(bytes, details.get("bytes_before"));
            assertEquals(f.current().bytes(), details.get("bytes_after"));
            assertEquals(mode.wireName(), f.current().headMode().wireName());
            if (mode == from) {
                throw new AssertionError();
            }
            assertTrue(details.get("verification") instanceof Map<?, ?> verification
                            && Boolean.TRUE.equals(verification.get("recorded"))
                            && Long.valueOf(1).equals(verification.get("rows"))
                            && verification.get("max_delta_over_bound") instanceof Double worst && worst <= 1,
                    details.toString());
            assertEquals(false, f.set(mode, true).details().get("changed"));
            assertEquals(1, f.epochs.weightsVersion());
        }
    }

    @Test
    void shouldVerifyLayoutsWithFloatsAndServeWithCodes() throws Exception {
        Precision int8 = new Precision(ActivationPrecision.INT8, ActivationPrecision.INT8, KvType.F16);
        RandomLlama finite = new RandomLlama(TensorFormat.Q8_0).tame();
        try (DeskFixture f = new DeskFixture(data, DeskFixture.Options.DEFAULT.with(finite).with(int8))) {
            f.recent.record(randomValues(H, 9), 0);
            assertEquals("int8", headActivations(f));
            Map<String, Object> details = f.set(OptimizationMode.CACHED_TRANSPOSE, true).details();
            assertTrue(details.get("verification") instanceof Map<?, ?> verification
                    && "f32".equals(verification.get("activations"))
                    && verification.get("max_delta_over_bound") instanceof Double worst && worst <= 1, details.toString());
            assertEquals("f32", headActivations(f));
            f.set(OptimizationMode.PACKED, true);
            f.send(DeskFixture.rows("a", 1, new int[] {3}, randomValues(H, 1)));
            assertEquals("int8", headActivations(f), "a new version keeps the choice");
            try (Lease lease = f.epochs.lease()) {
                int[] tokens = {1, 3, 2};
                float[] served = TestModels.logits(lease.epoch().model(), tokens, 3);
                assertArrayEquals(TestModels.logits(
                        f.current().newTransformer(WorkerTeam.sequential(), int8, 3), tokens, 3), served);
                assertFalse(Arrays.equals(TestModels.logits(DeskFixture.forward(f.current()), tokens, 3), served));
            }
        }
    }

    @Test
    void shouldReportWhatStreamsGetFromTheMomentItIsPublished() throws Exception {
        try (DeskFixture f = new DeskFixture(data)) {
            List<Object> reported = new ArrayList<>();
            f.epochs.onPublish(version -> reported.add(mode(f)));
            f.set(OptimizationMode.CACHED_TRANSPOSE, false);
            f.set(OptimizationMode.PACKED, false);
            assertEquals(List.of("cached-transpose", "packed"), reported);
        }
    }

    private static String mode(DeskFixture f) {
        try {
            return String.valueOf(f.desk.handle(new AdminRequest.OptimizationStatus("s"), DeskFixture.SILENT).details().get("mode"));
        } catch (AdminException e) {
            throw new AssertionError(e);
        }
    }

    private static String headActivations(DeskFixture f) throws AdminException {
        Map<String, Object> status = f.desk.handle(new AdminRequest.OptimizationStatus("s"), DeskFixture.SILENT).details();
        if (!(status.get("modes") instanceof List<?> modes)) {
            throw new AssertionError(status);
        }
        assertEquals(
                Set.of("packed int8", "cached-transpose f32", "transpose-per-step f32"),
                modes.stream().map(mode -> mode instanceof Map<?, ?> m ? m.get("mode") + " " + m.get("head_activations") : mode)
                        .collect(Collectors.toSet()));
        return String.valueOf(status.get("head_activations"));
    }

    @Test
    void shouldKeepTheOldHeadIfTheNewOneIsWrong() throws Exception {
        LoadedModel.HeadFactory broken = (mode, config, embedding, kernels, team) ->
                new BrokenHead(TiedHeads.build(mode, config, embedding, kernels, team));
        try (DeskFixture f = new DeskFixture(data, DeskFixture.Options.DEFAULT.with(broken))) {
            LoadedModel served = f.current();
            long bytes = served.familyBytes();
            AdminException e = assertThrows(AdminException.class, () -> f.set(OptimizationMode.CACHED_TRANSPOSE, true));
            assertEquals(AdminErrorCode.VERIFICATION_FAILED, e.code());
            assertEquals(served, f.current());
            assertEquals(HeadMode.PACKED, f.current().headMode());
            assertEquals(bytes, f.current().familyBytes());
        }
    }

    @Test
    void shouldKeepTheOldHeadIfBuildingThrows() throws Exception {
        LoadedModel.HeadFactory failing = (mode, config, embedding, kernels, team) -> {
            throw new IllegalStateException("as if");
        };
        try (DeskFixture f = new DeskFixture(data, DeskFixture.Options.DEFAULT.with(failing))) {
            assertThrows(IllegalStateException.class, () -> f.set(OptimizationMode.CACHED_TRANSPOSE, true));
            assertEquals(HeadMode.PACKED, f.current().headMode());
            float[][] before = f.embedding();
            assertThrows(IllegalStateException.class, () -> f.send(DeskFixture.rows("a", 1, new int[] {3}, randomValues(H, 1))));
            assertArrayEquals(before, f.embedding());
            assertEquals(1, f.log == null ? 0 : f.log.currentVersion());
            assertEquals(2, f.send(DeskFixture.replace("n", 1, "output_norm.weight", NORM, randomValues(H, 5))).weightsVersion());
        }
    }

    @Test
    void shouldRefuseModesOfAnUntiedModel() throws Exception {
        var untied = DeskFixture.Options.DEFAULT.with(new RandomLlama(TensorFormat.Q8_0).untied());
        try (DeskFixture f = new DeskFixture(data, untied)) {
            for (OptimizationMode mode : OptimizationMode.values()) {
                assertEquals(AdminErrorCode.NO_TIED_WEIGHTS, code(() -> f.set(mode, true)));
            }
            f.send(DeskFixture.replace("o", 1, "output.weight", DeskFixture.embeddingShape(), randomValues(V * H, 1)));
            f.send(DeskFixture.rows("e", 2, new int[] {3}, randomValues(H, 1)));
            assertArrayEquals(randomValues(H, 1), f.embedding()[3], 0.002f);
            assertArrayEquals(Arrays.copyOf(randomValues(V * H, 1), H), DeskFixture.matrix(f.current(), "output.weight")[0], 0.005f);
        }
    }
}
