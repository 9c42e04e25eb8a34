package dev.tidestream.protocol.admin;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class AdminCodecTest {
    private static final String SHA = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    private final AdminCodec codec = new AdminCodec(4096);

    @Test
    void shouldRoundTripEveryRequest() throws AdminProtocolException {
        for (AdminRequest request : List.of(
                new AdminRequest.OptimizationSet("r", OptimizationMode.PACKED, true),
                new AdminRequest.OptimizationSet("r", OptimizationMode.CACHED_TRANSPOSE, false),
                new AdminRequest.OptimizationSet("r", OptimizationMode.TRANSPOSE_PER_STEP, true),
                new AdminRequest.OptimizationStatus("\u00fc\uD83C\uDF0A\"\\"),
                update(UpdateKind.REPLACE, List.of(8L), PayloadType.F32, 32, OptionalInt.empty(), null),
                update(UpdateKind.DELTA, List.of(1L, 2L, 3L, 4L), PayloadType.BF16, 48, OptionalInt.empty(), null),
                update(UpdateKind.ROWS, List.of(3L, 5L), PayloadType.F16, 3 * 4 + 15 * 2, OptionalInt.empty(), "a.safetensors"),
                update(UpdateKind.LOW_RANK, List.of(10L, 4L), PayloadType.F32, 4 * (10 * 2 + 2 * 4), OptionalInt.of(2), null),
                new AdminRequest.WeightsRollback("r", Long.MAX_VALUE),
                new AdminRequest.OpenUpdate("r", "step:1.a_b-c", 7, "step ü", Optional.of("untie"), true),
                new AdminRequest.OpenUpdate("r", "u", 1, "", Optional.empty(), false),
                new AdminRequest.UpdatePart("r", "u", 999_999, SHA, Long.MAX_VALUE, Long.MAX_VALUE),
                new AdminRequest.CommitUpdate("r", "u", OptionalInt.of(3), Optional.of(SHA)),
                new AdminRequest.CommitUpdate("r", "u", OptionalInt.empty(), Optional.empty()),
                new AdminRequest.AbortUpdate("r", "u"),
                new AdminRequest.UpdateState("r", "u"),
                new AdminRequest.WeightsStatus("r"),
                new AdminRequest.WeightsHistory("r"),
                new AdminRequest.Stats("r"),
                new AdminRequest.Streams("r"),
                new AdminRequest.AdapterLoad("r", "org/law", "a/b"),
                new AdminRequest.AdapterUnload("r", "law"),
                new AdminRequest.AdapterStatus("r"))) {
            assertEquals(request, codec.decodeRequest(codec.encode(request)));
        }
    }

    private static AdminRequest update(
            UpdateKind kind, List<Long> shape, PayloadType dtype, long bytes, OptionalInt rank, @Nullable String path) {
        return new AdminRequest.WeightsUpdate("r", "u", 7, "token_embd.weight", kind, shape, dtype, SHA, bytes, rank, path);
    }

    @Test
    void shouldRoundTripEveryReply() throws AdminProtocolException {
        for (AdminReply reply : List.of(
                new AdminReply.Ack("r", 1, Map.of()),
                new AdminReply.Ack("r", 3, Map.of("mode", "packed", "verified", true, "bytes_before", 7, "max_delta", 0.25f,
                        "history", List.of(Map.of("weights_version", 2L, "shape", List.of(1, 2))))),
                new AdminReply.Failed("r", AdminErrorCode.STALE_BASE_VERSION, "m"),
                new AdminReply.Failed(null, AdminErrorCode.MALFORMED_JSON, "m"),
                new AdminReply.Progress("r", "building", 3, 4))) {
            assertEquals(reply, codec.decodeReply(codec.encode(reply)));
        }
    }

    @Test
    void shouldWriteTheDocumentedFrames() {
        assertEquals("{\"type\":\"ack\",\"ref\":\"r\",\"weights_version\":3,\"mode\":\"cached-transpose\"}",
                codec.encode(new AdminReply.Ack("r", 3, Map.of("mode", OptimizationMode.CACHED_TRANSPOSE.wireName()))));
        assertEquals("{\"type\":\"failed\",\"code\":\"no_tied_weights\",\"message\":\"m\"}",
                codec.encode(new AdminReply.Failed(null, AdminErrorCode.NO_TIED_WEIGHTS, "m")));
        assertEquals("{\"type\":\"weights.update\",\"ref\":\"r\",\"update_id\":\"u\",\"base_version\":7,"
                        + "\"tensor\":\"token_embd.weight\",\"kind\":\"low_rank\",\"shape\":[10,4],\"dtype\":\"bf16\",\"sha256\":\"" + SHA
                        + "\",\"byte_length\":56,\"rank\":2,\"path\":\"p\"}",
                codec.encode(update(UpdateKind.LOW_RANK, List.of(10L, 4L), PayloadType.BF16, 56, OptionalInt.of(2), "p")));
    }

    @Test
    void shouldTakeOptimizeForInferenceAsASynonym() throws AdminProtocolException {
        assertEquals(new AdminRequest.OptimizationSet("r", OptimizationMode.PACKED, true),
                codec.decodeRequest("{\"type\":\"optimization.set\",\"ref\":\"r\",\"optimize_for_inference\":true}"));
        assertEquals(new AdminRequest.OptimizationSet("r", OptimizationMode.TRANSPOSE_PER_STEP, false),
                codec.decodeRequest("{\"type\":\"optimization.set\",\"ref\":\"r\",\"optimize_for_inference\":false,\"verify\":false}"));
    }

    @Test
    void shouldKeepValuesOutOfAcksThatAFrameCannotHold() {
        Object tooDeep = List.of(List.of(List.of(List.of(List.of(List.of(List.of(List.of())))))));
        for (Map<String, Object> details : List.<Map<String, Object>>of(
                Map.of("ref", "x"), Map.of("a", Double.NaN), Map.of("a", new Object()), Map.of("a", tooDeep))) {
            assertThrows(IllegalArgumentException.class, () -> new AdminReply.Ack("r", 1, details));
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '\0', value = {
        // frame | code | field | ref | message
        "[1]|MALFORMED_JSON|||not an object",
        "{\"ref\":\"r\",,}|MALFORMED_JSON||r|Unexpected character",
        "{\"type\":\"stats\",\"ref\":\"r\",\"ref\":\"s\"}|MALFORMED_JSON||r|Duplicate field 'ref'",
        "{\"ref\":\"r\"}|UNKNOWN_TYPE|type|r|missing field: type",
        "{\"type\":\"generate\",\"ref\":\"r\"}|UNKNOWN_TYPE|type|r|unknown type: \"generate\"",
        "{\"type\":\"ack\",\"ref\":\"r\"}|UNKNOWN_TYPE|type|r|unknown type: \"ack\"",
        "{\"type\":\"stats\"}|MISSING_FIELD|ref||missing field: ref",
        "{\"type\":\"stats\",\"ref\":\"\"}|INVALID_VALUE|ref||ref must have 1 to 128 characters: chars=0",
        "{\"type\":\"stats\",\"ref\":\"r\",\"x\":1}|UNKNOWN_FIELD|x|r|unknown field: x",
        "{\"type\":\"optimization.set\",\"ref\":\"r\"}|MISSING_FIELD|mode|r|missing field: mode",
        "{\"type\":\"optimization.set\",\"ref\":\"r\",\"mode\":\"PACKED\"}|INVALID_VALUE|mode|r|one of transpose-per-step, "
                + "cached-transpose, packed",
        "{\"type\":\"optimization.set\",\"ref\":\"r\",\"mode\":\"packed\",\"verify\":\"yes\"}|INVALID_TYPE|verify|r|verify must "
                + "be a boolean: \"yes\"",
        "{\"type\":\"optimization.set\",\"ref\":\"r\",\"mode\":\"packed\",\"optimize_for_inference\":true}|INVALID_VALUE|mode|r|not both",
        "{\"type\":\"weights.open_update\",\"ref\":\"r\",\"update_id\":\"a/b\",\"base_version\":1}|INVALID_VALUE|update_id|r|1 to 128 of",
        "{\"type\":\"weights.open_update\",\"ref\":\"r\",\"update_id\":\"a\",\"base_version\":1,\"tied\":\"so\"}|INVALID_VALUE|tied|r|"
                + "keep, untie",
        "{\"type\":\"weights.part\",\"ref\":\"r\",\"update_id\":\"a\",\"part\":1000000}|MISSING_FIELD|byte_length|r|byte_length",
        "{\"type\":\"weights.abort_update\",\"ref\":\"r\",\"update_id\":\"a\",\"part\":0}|UNKNOWN_FIELD|part|r|unknown field: part",
        "{\"type\":\"weights.update_state\",\"ref\":\"r\"}|MISSING_FIELD|update_id|r|missing field: update_id",
        "{\"type\":\"weights.rollback\",\"ref\":\"r\",\"to_version\":0}|INVALID_VALUE|to_version|r|to_version must be in 1..",
        "{\"type\":\"weights.rollback\",\"ref\":\"r\",\"to_version\":1.0}|INVALID_TYPE|to_version|r|an integer: 1.0",
    })
    void shouldNameWhatIsWrongWithTheRequest(
            String frame, AdminErrorCode code, @Nullable String field, @Nullable String ref, String message) {
        check(frame, code, field, ref, message);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '\0', value = {
        // what to replace in a valid update | by | code | field | message
        "\"update_id\":\"u\"|\"update_id\":\"\"|INVALID_VALUE|update_id|1 to 128",
        "\"base_version\":1|\"base_version\":0|INVALID_VALUE|base_version|base_version must be in 1..",
        "\"base_version\":1,||MISSING_FIELD|base_version|missing field: base_version",
        "\"kind\":\"rows\"|\"kind\":\"row\"|INVALID_VALUE|kind|one of replace, rows, delta, low_rank: \"row\"",
        "[2,4]|[2]|INVALID_SHAPE|shape|shape must have 2 dimensions for kind rows: dimensions=1",
        "[2,4]|[]|INVALID_SHAPE|shape|dimensions=0",
        "[2,4]|8|INVALID_TYPE|shape|an array of integers: 8",
        "[2,4]|[0,4]|INVALID_VALUE|shape[0]|in 1..2147483647: 0",
        "[2,4]|[2,2147483648]|INVALID_VALUE|shape[1]|2147483648",
        "\"rows\",\"shape\":[2,4]|\"delta\",\"shape\":[2147483647,2147483647,2147483647]|INVALID_SHAPE|shape|shape is too large",
        "\"f16\"|\"f64\"|INVALID_DTYPE|dtype|one of f32, f16, bf16: \"f64\"",
        "\"f16\"|16|INVALID_TYPE|dtype|dtype must be a string: 16",
        ":24|:25|INVALID_LENGTH|byte_length|byte_length=25, expected=24",
        ":24|:0|INVALID_VALUE|byte_length|byte_length must be in 1..",
        ":24|:24,\"rank\":1|INVALID_VALUE|rank|rank is for kind low_rank only: kind=rows",
        "\"rows\"|\"low_rank\"|MISSING_FIELD|rank|missing field: rank",
        "e3b0|E3B0|INVALID_VALUE|sha256|64 lower-case hexadecimal digits",
        "e3b0|e3b|INVALID_VALUE|sha256|64 lower-case hexadecimal digits",
        ":24|:24,\"path\":\"\"|INVALID_VALUE|path|1 to 1024",
        ":24|:24,\"path\":null|INVALID_TYPE|path|path must be a string: null",
    })
    void shouldNameTheFieldOfAnUpdate(String what, @Nullable String by, AdminErrorCode code, String field, String message) {
        String valid = "{\"type\":\"weights.update\",\"ref\":\"r\",\"update_id\":\"u\",\"base_version\":1,\"tensor\":\"t\","
                + "\"kind\":\"rows\","
                + "\"shape\":[2,4],\"dtype\":\"f16\",\"sha256\":\"" + SHA + "\",\"byte_length\":24}";
        assertTrue(valid.contains(what), what);
        check(valid.replace(what, by == null ? "" : by), code, field, "r", message);
    }

    @Test
    void shouldRefuseARequestOverTheLimit() {
        String frame = "{\"type\":\"stats\",\"ref\":\"r\"}" + " ".repeat(4096);
        check(frame, AdminErrorCode.FRAME_TOO_LARGE, null, null, "limit=4096");
        assertEquals("r", codec.peekRef(frame.substring(0, 100)));
        assertNull(codec.peekRef("{\"id\":\"r\"}"));
    }

    private void check(String frame, AdminErrorCode code, @Nullable String field, @Nullable String ref, String message) {
        AdminProtocolException e = assertThrows(AdminProtocolException.class, () -> codec.decodeRequest(frame));
        assertEquals(code, e.code(), e.getMessage());
        assertEquals(field, e.field(), e.getMessage());
        assertEquals(ref, e.ref(), e.getMessage());
        assertNotNull(e.getMessage());
        assertTrue(e.getMessage().contains(message), e.getMessage());
    }
}
