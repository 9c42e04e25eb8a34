package dev.tidestream.protocol;

import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.OptionalLong;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.tidestream.protocol.options.Priority;
import dev.tidestream.protocol.options.StreamOptions;
import dev.tidestream.protocol.options.Urgency;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class CodecTest {
    private final Codec codec = new Codec(Limits.DEFAULT);

    @Test
    void shouldRoundTripEveryClientMessage() throws ProtocolException {
        SamplingOptions sampling = new SamplingOptions(
                0.7f, 40, 0.9f, 0.05f, 1.1f, 0.5f, -0.25f, Map.of(7, -100f, 12, 2.5f), OptionalLong.of(Long.MIN_VALUE));
        List<ClientMessage> messages = List.of(
                ClientMessage.Generate.of("a", "Once upon a time"),
                new ClientMessage.Generate("ü🌊\"\\", "", null, 1, sampling, List.of("\n\n", "END"), 5, WeightsPolicy.FOLLOW,
                        OptionalInt.of(0)),
                new ClientMessage.Generate("t", null, new int[] {0, 1, Integer.MAX_VALUE}, 1 << 20, SamplingOptions.DEFAULT,
                        List.of(), 0, WeightsPolicy.PIN, OptionalInt.of(Integer.MAX_VALUE)),
                new ClientMessage.Generate("m", null, List.of(new ChatMessage("system", ""), new ChatMessage("user", "ü")), false, null, 1,
                        SamplingOptions.DEFAULT, List.of(), -1, WeightsPolicy.PIN, OptionalInt.empty(), StreamOptions.NONE),
                new ClientMessage.Generate("s", "<s>x", true, null, 1, SamplingOptions.DEFAULT, List.of(), -1,
                        WeightsPolicy.PIN, OptionalInt.empty()),
                new ClientMessage.Generate("r", "x", null, 1, SamplingOptions.DEFAULT, List.of(), 0,
                        WeightsPolicy.FOLLOW_AND_RECOMPUTE, OptionalInt.empty()),
                ClientMessage.Generate.of("a", "x").resumableAs("h"),
                ClientMessage.Generate.of("a", "x").with(StreamOptions.NONE.withReceipt(true)),
                ClientMessage.Generate.of("a", "x").with(StreamOptions.NONE.withUrgency(new Urgency(Priority.BATCH, 1))),
                ClientMessage.Generate.of("a", "x").with(
                        StreamOptions.NONE.withUrgency(new Urgency(Priority.INTERACTIVE, Protocol.MAX_DEADLINE_MS))),
                ClientMessage.Generate.of("t", "x").with(
                        StreamOptions.NONE.tracedBy("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "foo=1,bar=2")),
                ClientMessage.Generate.of("a", "x").with(StreamOptions.NONE.withAdapter("law")),
                new ClientMessage.Resume("a", "h", -1, OptionalInt.empty()),
                new ClientMessage.Resume("a", "h", 41, OptionalInt.of(0)),
                new ClientMessage.Credit("a", 17),
                new ClientMessage.Cancel("a"),
                new ClientMessage.Watch(true),
                new ClientMessage.Watch(false));
        for (ClientMessage message : messages) {
            assertEquals(message, codec.decodeClient(codec.encode(message)));
        }
    }

    @Test
    void shouldTakeKvForStreamsThatFollowOnly() throws ProtocolException {
        String head = "{\"type\":\"generate\",\"id\":\"a\",\"prompt\":\"x\",";
        assertEquals(WeightsPolicy.FOLLOW, ((ClientMessage.Generate) codec.decodeClient(
                head + "\"weights\":\"follow\",\"kv\":\"keep\"}")).weights());
        for (String bad : List.of("\"kv\":\"keep\"}", "\"weights\":\"pin\",\"kv\":\"recompute\"}",
                "\"weights\":\"follow\",\"kv\":\"drop\"}", "\"weights\":\"follow\",\"kv\":true}")) {
            assertEquals("kv", assertThrows(ProtocolException.class, () -> codec.decodeClient(head + bad)).field(), bad);
        }
    }

    @Test
    void shouldNameAPriorityOrDeadlineThatThereIsNot() {
        String head = "{\"type\":\"generate\",\"id\":\"a\",\"prompt\":\"x\",";
        for (String bad : List.of("\"priority\":\"urgent\"}", "\"priority\":\"BATCH\"}", "\"priority\":1}", "\"priority\":null}")) {
            ProtocolException e = assertThrows(ProtocolException.class, () -> codec.decodeClient(head + bad));
            assertEquals("priority", e.field(), bad);
        }
        ProtocolException unknown = assertThrows(ProtocolException.class, () -> codec.decodeClient(head + "\"priority\":\"urgent\"}"));
        assertTrue(String.valueOf(unknown.getMessage()).contains("\"interactive\" or \"batch\"")
                && String.valueOf(unknown.getMessage()).contains("urgent"), unknown.getMessage());
        for (String bad : List.of("\"deadline_ms\":0}", "\"deadline_ms\":-1}", "\"deadline_ms\":86400001}", "\"deadline_ms\":1.5}",
                "\"deadline_ms\":\"5\"}", "\"deadline_ms\":5,\"resumable\":true}")) {
            ProtocolException e = assertThrows(ProtocolException.class, () -> codec.decodeClient(head + bad));
            assertEquals("deadline_ms", e.field(), bad);
        }
    }

    @Test
    void shouldRefuseAReceiptOfAStreamWithAnAdapter() {
        ProtocolException e = assertThrows(ProtocolException.class,
                () -> codec.decodeClient("{\"type\":\"generate\",\"id\":\"a\",\"prompt\":\"x\",\"receipt\":true,\"adapter\":\"law\"}"));
        assertEquals("receipt", e.field());
        assertTrue(String.valueOf(e.getMessage()).contains("receipt does not go with adapter"), e.getMessage());
    }

    @Test
    void shouldRoundTripEveryServerMessage() throws ProtocolException {
        List<ServerMessage> messages = List.of(
                new ServerMessage.Accepted("a", 7, Long.MAX_VALUE, 3, 12),
                new ServerMessage.Accepted("a", 7, 1, 3, 12, "h"),
                new ServerMessage.Progress("a", 512, 2048),
                new ServerMessage.Token("a", 0, 42, " é\u2028\u0001🌊", 3, null, List.of()),
                new ServerMessage.Token("a", 1, 43, "", 4, -0.25f, List.of(new TopLogprob(43, -0.25f), new TopLogprob(1, -9f))),
                new ServerMessage.Finished("a", FinishReason.STOP, new Usage(1, 2, 0), new Timing(1, 2, 3, 4), null,
                        new AdapterRef("law", "ab")),
                new ServerMessage.Finished("a", FinishReason.CANCELLED, new Usage(12, 2), new Timing(0.125, 20.5, 40.75, 50)),
                new ServerMessage.Finished("a", FinishReason.STOP, new Usage(70, 2, 64), new Timing(0.125, 20.5, 40.75, 50)),
                new ServerMessage.Finished("a", FinishReason.STOP, new Usage(7, 2), new Timing(0, 1, 2, 3), "e30.e30.AA", null),
                new ServerMessage.Failed("a", ErrorCode.INVALID_VALUE, "m"),
                new ServerMessage.Failed(null, ErrorCode.MALFORMED_JSON, "m"),
                new ServerMessage.WeightsChanged(7));
        for (ServerMessage message : messages) {
            assertEquals(message, codec.decodeServer(codec.encode(message)));
        }
    }

    @Test
    void shouldWriteTheDocumentedFrames() {
        assertEquals(
                "{\"type\":\"token\",\"id\":\"a\",\"seq\":1,\"token\":43,\"text\":\" sea\",\"weights_version\":4,\"logprob\":-0.25,"
                        + "\"top_logprobs\":[{\"token\":43,\"logprob\":-0.25}]}",
                codec.encode(new ServerMessage.Token("a", 1, 43, " sea", 4, -0.25f, List.of(new TopLogprob(43, -0.25f)))));
        assertEquals(
                "{\"type\":\"finished\",\"id\":\"a\",\"reason\":\"length\",\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":2},"
                        + "\"timing\":{\"queue_ms\":0.123,\"first_token_ms\":10.0,\"total_ms\":20.0,\"tokens_per_s\":100.0}}",
                codec.encode(new ServerMessage.Finished(
                        "a", FinishReason.LENGTH, new Usage(5, 2), new Timing(0.12345, 10, 20, 100))));
        ServerMessage reused =
                new ServerMessage.Finished("a", FinishReason.LENGTH, new Usage(70, 2, 64), new Timing(0, 10, 20, 100));
        assertTrue(codec.encode(reused).contains(
                "\"usage\":{\"prompt_tokens\":70,\"completion_tokens\":2,\"cached_tokens\":64},"));
        assertEquals(
                "{\"type\":\"failed\",\"code\":\"frame_too_large\",\"message\":\"m\"}",
                codec.encode(new ServerMessage.Failed(null, ErrorCode.FRAME_TOO_LARGE, "m")));
    }

    @Test
    void shouldWriteSeedsThatJavaScriptCannotHoldAsStrings() {
        assertEquals(
                "{\"type\":\"accepted\",\"id\":\"a\",\"stream\":1,\"seed\":9007199254740991,\"weights_version\":0,\"prompt_tokens\":1}",
                codec.encode(new ServerMessage.Accepted("a", 1, 9007199254740991L, 0, 1)));
        assertEquals(
                "{\"type\":\"accepted\",\"id\":\"a\",\"stream\":1,\"seed\":\"-9007199254740992\",\"weights_version\":0,"
                        + "\"prompt_tokens\":1}",
                codec.encode(new ServerMessage.Accepted("a", 1, -9007199254740992L, 0, 1)));
    }

    @Test
    void shouldWriteAnImpossibleLogprobAsTheLowestFloat() throws ProtocolException {
        String frame =
                codec.encode(new ServerMessage.Token("a", 0, 1, "", 0, Float.NEGATIVE_INFINITY, List.of()));
        assertEquals(-Float.MAX_VALUE, ((ServerMessage.Token) codec.decodeServer(frame)).logprob());
    }

    @Test
    void shouldFillInDefaults() throws ProtocolException {
        ClientMessage.Generate message = generate("\"prompt\":\"x\"");
        assertEquals(ClientMessage.Generate.of("a", "x"), message);
        assertEquals(256, message.maxTokens());
        assertEquals(-1, message.topLogprobs());
        assertEquals(OptionalInt.empty(), message.credit());
        assertEquals(SamplingOptions.DEFAULT, generate("\"prompt\":\"x\",\"sampling\":{}").sampling());
    }

    @Test
    void shouldKeepTheDefaultUnderASmallerLimit() throws ProtocolException {
        ClientMessage message = new Codec(new Limits(1000, 10)).decodeClient("{\"type\":\"generate\",\"id\":\"a\",\"prompt\":\"x\"}");
        assertEquals(10, ((ClientMessage.Generate) message).maxTokens());
    }

    @Test
    void shouldTakeLogprobsAsNumberOrBoolean() throws ProtocolException {
        assertEquals(0, generate("\"prompt\":\"\",\"logprobs\":true").topLogprobs());
        assertEquals(-1, generate("\"prompt\":\"\",\"logprobs\":false").topLogprobs());
        assertEquals(20, generate("\"prompt\":\"\",\"logprobs\":20").topLogprobs());
    }

    @ParameterizedTest
    @ValueSource(strings = {"-9223372036854775808", "\"-9223372036854775808\""})
    void shouldTakeSeedsAsNumberOrString(String seed) throws ProtocolException {
        assertEquals(
                OptionalLong.of(Long.MIN_VALUE),
                generate("\"prompt\":\"\",\"sampling\":{\"seed\":" + seed + "}").sampling().seed());
    }

    @ParameterizedTest
    @ValueSource(strings = {"{\"temperature\":0}", "{\"temperature\":100}", "{\"top_p\":1}", "{\"top_p\":1e-9}", "{\"min_p\":0}",
        "{\"min_p\":1.0}", "{\"top_k\":2147483647}", "{\"presence_penalty\":-100}", "{\"logit_bias\":{\"2147483647\":100}}"})
    void shouldTakeTheEdgesOfEveryRange(String sampling) throws ProtocolException {
        generate("\"prompt\":\"\",\"sampling\":" + sampling);
    }

    @Test
    void shouldPassOverFieldsThatANewerServerAdds() throws ProtocolException {
        assertEquals(
                new ServerMessage.Progress("a", 1, 2),
                codec.decodeServer("{\"type\":\"progress\",\"id\":\"a\",\"prefilled\":1,\"of\":2,\"later\":{\"x\":[]}}"));
    }

    private ClientMessage.Generate generate(String fields) throws ProtocolException {
        return (ClientMessage.Generate) codec.decodeClient("{\"type\":\"generate\",\"id\":\"a\"," + fields + "}");
    }
}
