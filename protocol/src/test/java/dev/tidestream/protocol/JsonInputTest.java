package dev.tidestream.protocol;

import org.junit.jupiter.api.Test;

import dev.tidestream.protocol.admin.AdminCodec;
import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.protocol.admin.AdminProtocolException;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Names in frames: that they harm no later frame, and that there are not too many. */
class JsonInputTest {
    private static final String CANCEL = "{\"type\":\"cancel\",\"id\":\"a\"";

    private final Codec codec = new Codec(Limits.DEFAULT);

    @Test
    void shouldRefuseEachFrameOfCollidingNamesAndReadTheNext() throws Exception {
        for (int i = 0; i < 40; i++) {
            String frame = CANCEL + ",\"n" + i + "\":0," + NameMutator.colliding(400) + "}";
            ProtocolException refusal = assertThrows(ProtocolException.class, () -> codec.decodeClient(frame));
            assertEquals(ErrorCode.UNKNOWN_FIELD, refusal.code());
            assertEquals("a", refusal.id());
            assertEquals(new ClientMessage.Cancel("a"), codec.decodeClient(CANCEL + "}"));
        }
    }

    /** What comes after the limit is not even JSON, so it is refused where the limit is and not at the end. */
    @Test
    void shouldRefuseTooManyFieldsWhereTheyAreTooMany() {
        String frame = CANCEL + "," + NameMutator.fields(70_000, "f") + " no JSON";
        ProtocolException refusal = assertThrows(ProtocolException.class, () -> codec.decodeClient(frame));
        assertEquals(ErrorCode.FRAME_TOO_LARGE, refusal.code());
        assertEquals("too many fields in one message: fields>2048, limit=2048", refusal.getMessage());
        assertEquals("a", refusal.id());
    }

    @Test
    void shouldCountTheFieldsOfAllObjects() {
        String entry = "{" + NameMutator.fields(1000, "f") + "}";
        ProtocolException refusal = assertThrows(ProtocolException.class,
                () -> codec.decodeClient(CANCEL + ",\"x\":[" + entry + "," + entry + "," + entry + "]}"));
        assertEquals(ErrorCode.FRAME_TOO_LARGE, refusal.code());
    }

    @Test
    void shouldLeaveRoomForTheLargestMessageThereIs() throws Exception {
        String bias = NameMutator.fields(Protocol.MAX_LOGIT_BIAS, "");
        ClientMessage message = codec.decodeClient(
                "{\"type\":\"generate\",\"id\":\"a\",\"prompt\":\"x\",\"sampling\":{\"logit_bias\":{" + bias + "}}}");
        assertEquals(Protocol.MAX_LOGIT_BIAS, ((ClientMessage.Generate) message).sampling().logitBias().size());
    }

    @Test
    void shouldRefuseLongNames() {
        ProtocolException refusal = assertThrows(ProtocolException.class,
                () -> codec.decodeClient(CANCEL + ",\"" + "x".repeat(257) + "\":1}"));
        assertEquals(ErrorCode.MALFORMED_JSON, refusal.code());
        assertTrue(String.valueOf(refusal.getMessage()).contains("Name length (257) exceeds the maximum allowed (256"),
                refusal.getMessage());
        assertEquals("a", refusal.id());
    }

    @Test
    void shouldKeepNoNames() throws Exception {
        String canonical = String.join("", "a name of ", "this test").intern();
        Fields message = new FrameReader(4096, 10, "id").read("{\"" + canonical + "\":1}");
        String name = message.names().iterator().next();
        assertEquals(canonical, name);
        assertNotSame(canonical, name);
    }

    @Test
    void shouldRefuseManyFieldsOfAdministrators() throws Exception {
        AdminCodec admin = new AdminCodec(64 << 10);
        String frame = "{\"type\":\"stats\",\"ref\":\"r\"," + NameMutator.colliding(400) + "}";
        AdminProtocolException refusal = assertThrows(AdminProtocolException.class, () -> admin.decodeRequest(frame));
        assertEquals(AdminErrorCode.FRAME_TOO_LARGE, refusal.code());
        assertEquals("too many fields in one message: fields>32, limit=32", refusal.getMessage());
        assertEquals("r", refusal.ref());
        assertEquals("r", admin.decodeReply("{\"type\":\"ack\",\"ref\":\"r\",\"weights_version\":1,\"details\":{"
                + NameMutator.fields(4000, "") + "}}").ref(), "a reply may have as many as it needs");
    }
}
