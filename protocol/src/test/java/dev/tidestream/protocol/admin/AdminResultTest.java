package dev.tidestream.protocol.admin;

import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.stream.Stream;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

/** The frames of every result, letter by letter. */
class AdminResultTest {
    private static final Instant THEN = Instant.parse("2026-11-30T20:30:00.125Z");
    private static final AdminResult.BuildCost COST = new AdminResult.BuildCost(12.5, 0.75);
    private static final String COST_FIELDS = "'build_ms':12.5,'builder_cpu_share':0.75";
    private static final AdminResult.Optimization OPTIMIZATION = new AdminResult.Optimization(
            true, OptimizationMode.PACKED, "int8", 100, 64, new AdminResult.TiedBytes(10, 0, 10, 0),
            List.of(new AdminResult.ModeChoice(OptimizationMode.CACHED_TRANSPOSE, "f32", 25600, false)));
    private static final String OPTIMIZATION_FIELDS = "'tied':true,'mode':'packed','optimize_for_inference':true,"
            + "'head_activations':'int8','vocabulary_size':100,'hidden_size':64,'embedding_weight_bytes':10,"
            + "'transposed_weight_bytes':0,'total_bytes':10,'optimization_overhead':0,"
            + "'modes':[{'mode':'cached-transpose','head_activations':'f32','peak_bytes':25600,'fits':false}]";
    private static final AdminResult.Adapter ADAPTER = new AdminResult.Adapter("a", "p", "PEFT folder", "ab", 6, 8, true, 2, List.of("w"));
    private static final String ADAPTER_FIELDS = "'name':'a','path':'p','format':'PEFT folder','sha256':'ab','bytes':6,'highest_rank':8,"
            + "'tied':true,'streams':2,'warnings':['w']";
    private static final AdminResult.Memory MEMORY = new AdminResult.Memory(1, 2, 3);
    private static final String LIVE_FIELDS = "'max_live_versions':4,'live_versions':[{'weights_version':3,'mode':'packed',"
            + "'current':true,'leases':2,'bytes':30,'own_bytes':7}],'memory':{'weights_bytes':1,'kv_bytes':2,'budget_bytes':3}";
    private static final List<AdminResult.LiveVersion> LIVE =
            List.of(new AdminResult.LiveVersion(3, OptimizationMode.PACKED, true, 2, 30, 7));

    private final AdminCodec codec = new AdminCodec(AdminProtocol.MAX_REQUEST_CHARS);

    static Stream<Arguments> results() {
        return Stream.of(
                Arguments.of(new AdminResult.ModeUnchanged(OptimizationMode.PACKED, 9),
                        "'mode':'packed','previous_mode':'packed','bytes_before':9,'changed':false,'bytes_after':9"),
                Arguments.of(new AdminResult.ModeChanged(
                                OptimizationMode.TRANSPOSE_PER_STEP, OptimizationMode.PACKED, 9, 11, Optional.empty(), COST),
                        "'mode':'transpose-per-step','previous_mode':'packed','bytes_before':9," + COST_FIELDS
                                + ",'changed':true,'bytes_after':11"),
                Arguments.of(new AdminResult.ModeChanged(OptimizationMode.PACKED, OptimizationMode.CACHED_TRANSPOSE, 11, 9,
                                Optional.of(new AdminResult.Verification(4, true, "f32", 0.25, 0.5, 1.5, 2.5)), COST),
                        "'mode':'packed','previous_mode':'cached-transpose','bytes_before':11,'verification':{'rows':4,'recorded':true,"
                                + "'activations':'f32','max_delta':0.25,'max_delta_over_bound':0.5,'old_us_per_row':1.5,"
                                + "'new_us_per_row':2.5}," + COST_FIELDS + ",'changed':true,'bytes_after':9"),
                Arguments.of(new AdminResult.UpdateRepeated(2), "'repeated':true,'update_version':2"),
                Arguments.of(new AdminResult.UpdateApplied(3, 2, 4, new AdminResult.StorageError("q4_0", 0.5, 0.25, 128), COST),
                        "'repeated':false,'update_version':3,'changed_rows':2,'changed_blocks':4,'requantisation_error':{"
                                + "'format':'q4_0','max_abs':0.5,'rms':0.25,'elements':128}," + COST_FIELDS),
                Arguments.of(new AdminResult.RolledBack(1, COST), "'to_version':1," + COST_FIELDS),
                Arguments.of(OPTIMIZATION, OPTIMIZATION_FIELDS),
                Arguments.of(new AdminResult.Weights(Optional.empty(), 4, LIVE, MEMORY), "'durable':false," + LIVE_FIELDS),
                Arguments.of(new AdminResult.Weights(Optional.of(new AdminResult.Durable("ab", 2, List.of(2L, 3L))), 4, LIVE, MEMORY),
                        "'durable':true,'base_sha256':'ab','committed_versions':2,'checkpoints':[2,3]," + LIVE_FIELDS),
                Arguments.of(history(), "'base_version':1,'committed_versions':7,'versions':[{'weights_version':2,'base_version':1,"
                        + "'committed_at':'2026-11-30T20:30:00.125Z','what':'update','update_id':'u','tensor':'t','kind':'low_rank',"
                        + "'shape':[8,4],'dtype':'bf16','byte_length':96,'sha256':'cd'},{'weights_version':3,'base_version':2,"
                        + "'committed_at':'2026-11-30T20:30:00.125Z','what':'rollback','to_version':1}]"),
                Arguments.of(new AdminResult.Streams(7, List.of(new AdminResult.StreamRow(3, "parked", 0, 5, 6, 25, 2, "", 1.5),
                        new AdminResult.StreamRow(4, "running", 1, 5, 6, 25, 2, "law", 2.5))),
                        "'total':7,'streams':[{'stream':3,'state':'parked','demand':0,'prompt_tokens':5,'generated':6,'positions':25,"
                                + "'weights_version':2,'age_ms':1.5},{'stream':4,'state':'running','demand':1,'prompt_tokens':5,"
                                + "'generated':6,'positions':25,'weights_version':2,'adapter':'law','age_ms':2.5}]"),
                Arguments.of(new AdminResult.Adapters(List.of(ADAPTER), 7, 16, 8), "'adapters':[{" + ADAPTER_FIELDS
                        + "}],'adapter_bytes':7,"
                        + "'max_adapters':16,'max_adapter_bytes':8"),
                Arguments.of(new AdminResult.OneAdapter(ADAPTER), ADAPTER_FIELDS),
                Arguments.of(new AdminResult.Stats(runtime(), OPTIMIZATION, new AdminResult.Weights(Optional.empty(), 4, LIVE, MEMORY)),
                        "'engine':{'running':1,'queued':2,'parked':3,'kv_used_bytes':4,'kv_budget_bytes':5,'steps':6,'rows':7,"
                                + "'tokens_generated':8,'adapters':9,'adapter_bytes':10},"
                                + "'logits':{'packed':{'all_calls':{'calls':2,'us_p50':1.5,'us_p99':2.5},"
                                + "'single_row':{'calls':1,'us_p50':0.5,'us_p99':0.75},'rows':5,'gb_per_s':3.25}},"
                                + "'optimization':{" + OPTIMIZATION_FIELDS + "},'weights':{'durable':false," + LIVE_FIELDS + "}"));
    }

    private static AdminResult history() {
        return new AdminResult.History(1, 7, List.of(
                new AdminResult.UpdatedVersion(
                        2, 1, THEN, "u", "t", UpdateKind.LOW_RANK, List.of(8L, 4L), PayloadType.BF16, 96, "cd"),
                new AdminResult.RolledBackVersion(3, 2, THEN, 1)));
    }

    private static AdminResult.StreamFigures runtime() {
        SequencedMap<OptimizationMode, AdminResult.HeadTimes> heads = new LinkedHashMap<>();
        heads.put(OptimizationMode.PACKED, new AdminResult.HeadTimes(
                new AdminResult.Latency(2, 1.5, 2.5), new AdminResult.Latency(1, 0.5, 0.75), 5, 3.25));
        return new AdminResult.StreamFigures(new AdminResult.Engine(1, 2, 3, 4, 5, 6, 7, 8, 9, 10), heads);
    }

    @ParameterizedTest
    @MethodSource("results")
    void shouldWriteTheDocumentedFieldsAndReadThemBack(AdminResult result, String fields) throws AdminProtocolException {
        AdminReply.Ack ack = new AdminReply.Ack("r", 3, result);
        String frame = codec.encode(ack);
        assertEquals("{'type':'ack','ref':'r','weights_version':3,%s}".formatted(fields).replace('\'', '"'), frame);
        assertEquals(new AdminReply.Ack("r", 3, ack.details()), codec.decodeReply(frame));
    }

    @Test
    void shouldKeepOutNumbersThatAFrameCannotHold() {
        assertThrows(IllegalArgumentException.class, () -> new AdminResult.StorageError("f32", Double.NaN, 0, 1));
        assertThrows(IllegalArgumentException.class, () -> new AdminResult.BuildCost(1, Double.POSITIVE_INFINITY));
        assertThrows(IllegalArgumentException.class, () -> new AdminResult.Verification(1, true, "f32", 0, Double.NaN, 1, 1));
        assertThrows(IllegalArgumentException.class, () -> new AdminResult.Latency(1, 0, Double.NaN));
    }
}
