package dev.tidestream.server.cluster.wire;

import java.time.LocalDateTime;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.tidestream.protocol.AdapterRef;
import dev.tidestream.protocol.ChatMessage;
import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.protocol.FinishReason;
import dev.tidestream.protocol.SamplingOptions;
import dev.tidestream.protocol.Timing;
import dev.tidestream.protocol.TopLogprob;
import dev.tidestream.protocol.Usage;
import dev.tidestream.protocol.WeightsPolicy;
import dev.tidestream.protocol.options.Priority;
import dev.tidestream.protocol.options.Urgency;
import dev.tidestream.server.engine.Continuation;
import dev.tidestream.server.engine.Evidence;
import dev.tidestream.server.engine.GenerateRequest;
import dev.tidestream.server.engine.RequestOptions;
import dev.tidestream.server.engine.TokenEvent;
import dev.tidestream.server.tracing.RequestTrace;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

class ClusterCodecTest {
    private static final LocalDateTime TIME = LocalDateTime.of(2026, 12, 1, 14, 30, 5);
    private static final SamplingOptions SAMPLING = new SamplingOptions(
            0.1f, 7, 0.3f, 1e-7f, 1.3f, -0.7f, 0.33333334f, Map.of(3, -100f, 70_000, 0.1f), OptionalLong.of(1L << 52));
    private static final RequestTrace TRACE =
            RequestTrace.of("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "a=b").asChat();

    private final ClusterCodec codec = new ClusterCodec(1 << 20, party -> "p " + party);

    private static Evidence evidence() {
        return new Evidence(5, "ab", "cd", true, TIME, 9, SAMPLING, List.of("x", "\"\u0000"), WeightsPolicy.FOLLOW, 3,
                List.of(new Evidence.Span(0, 2, 3, "packed"), new Evidence.Span(2, 9, 4, "dense")), 9, "ef");
    }

    private static TokenEvent.Finish finish(boolean withEvidence) {
        return new TokenEvent.Finish(FinishReason.STOP, new Usage(5, 9, 2), new Timing(0.1, 12.25, 1e-3, 3.3333333333333335),
                withEvidence ? evidence() : null);
    }

    private GenerateRequest relayed(GenerateRequest request) throws WireException {
        List<GatewayFrame> read = codec.decodeGateway(codec.encodeGateway(List.of(new GatewayFrame.Start(9, 3, request))));
        GatewayFrame.Start start = (GatewayFrame.Start) read.getFirst();
        assertEquals(9, start.id());
        assertEquals(3, start.demand());
        return start.request();
    }

    private static void assertSame(GenerateRequest expected, GenerateRequest actual) {
        assertEquals(expected.prompt(), actual.prompt());
        assertEquals(expected.messages(), actual.messages());
        assertEquals(expected.parseSpecial(), actual.parseSpecial());
        assertArrayEquals(expected.tokens(), actual.tokens());
        assertEquals(expected.maxTokens(), actual.maxTokens());
        assertEquals(expected.sampling(), actual.sampling());
        assertEquals(expected.stop(), actual.stop());
        assertEquals(expected.topLogprobs(), actual.topLogprobs());
        assertEquals(expected.promptLogprobs(), actual.promptLogprobs());
        assertEquals(expected.weights(), actual.weights());
        assertEquals(expected.continuation(), actual.continuation());
        assertEquals(expected.options(), actual.options());
        assertEquals(new RelayedParty("p " + expected.connection()), actual.connection());
        assertEquals(new RelayedParty("p " + expected.account()), actual.account());
    }

    @Test
    @SuppressWarnings("NullAway") // does not see that the tokens of the record may be null
    void shouldReadTheRequestThatWasWritten() throws WireException {
        RequestOptions options = new RequestOptions(true, new Urgency(Priority.BATCH, 1234), "law", TRACE, TIME);
        Continuation from = new Continuation(new int[] {4, 5}, 7, 6, new Continuation.Origin("packed", "ab"), "cd");
        GenerateRequest text = new GenerateRequest("Hé\u2028\"\\ \uD83D\uDE00\u0000", List.of(), true, null, 100, SAMPLING, List.of("a", ""), 5, 2,
                WeightsPolicy.FOLLOW_AND_RECOMPUTE, "socket").of("alice").with(options).continued(1L << 52, from);
        assertSame(text, relayed(text));
        GenerateRequest chat = new GenerateRequest(null, List.of(new ChatMessage("user", "a"), new ChatMessage("odd", "")), false, null, 0,
                SamplingOptions.DEFAULT, List.of(), 0, -1, WeightsPolicy.PIN, "socket");
        assertSame(chat, relayed(chat));
        GenerateRequest ids = new GenerateRequest(null, List.of(), false, new int[] {0, Integer.MAX_VALUE}, 1, SamplingOptions.DEFAULT, List.of(), 0, 0,
                WeightsPolicy.PIN, "socket");
        assertSame(ids, relayed(ids));
    }

    @Test
    void shouldReadTheEventsThatWereWritten() throws WireException {
        List<WorkerFrame> frames = List.of(
                new WorkerFrame.Hello("n1", "model é"),
                new WorkerFrame.Event(1, new TokenEvent.Accepted(4, 5, 6, "packed", 7)),
                new WorkerFrame.Event(2, new TokenEvent.Accepted(4, Long.MAX_VALUE, 6, "packed", 7, "ab", TIME, new AdapterRef("law", "cd"))),
                new WorkerFrame.Event(1, new TokenEvent.Progress(3, 9)),
                new WorkerFrame.Event(1, new TokenEvent.Scored(List.of(
                        new TokenEvent.Score(3, -0.1f, List.of(new TopLogprob(3, -0.1f), new TopLogprob(9, Float.NEGATIVE_INFINITY))),
                        new TokenEvent.Score(4, -1e-30f, List.of())))),
                new WorkerFrame.Event(1, new TokenEvent.Token(0, 11, "", 6, null, List.of(), null)),
                new WorkerFrame.Event(1, new TokenEvent.Token(1, 12, "a\"\n\uD83D\uDE00", 6, -0.25f, List.of(new TopLogprob(12, -0.25f)), null)),
                new WorkerFrame.Event(1, new TokenEvent.Token(2, 13, "b", 7, null, List.of(), finish(true))),
                new WorkerFrame.Event(2, new TokenEvent.Stopped(finish(false))),
                new WorkerFrame.Failed(3, ErrorCode.BUSY, "too many"),
                new WorkerFrame.Drain(),
                new WorkerFrame.Fault("no"));
        assertEquals(frames, codec.decodeWorker(codec.encodeWorker(frames)));
    }

    @Test
    void shouldReadTheSmallFramesThatWereWritten() throws WireException {
        List<GatewayFrame> frames = List.of(new GatewayFrame.Credit(4, Long.MAX_VALUE), new GatewayFrame.Stop(5), new GatewayFrame.Cancel(6));
        assertEquals(frames, codec.decodeGateway(codec.encodeGateway(frames)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "{}", "7", "[7]", "[[]]", "[[\"start\"]]", "[[\"start\",1,0,{}]]", "[[\"credit\",1,0]]", "[[\"credit\",0,1]]", "[[\"stop\",1.5]]",
            "[[\"hop\",1]]", "[[\"start\",1,1,{\"prompt\":\"a\",\"max_tokens\":1,\"sampling\":[1]}]]"})
    void shouldRefuseWhatNoGatewaySays(String text) {
        assertThrows(WireException.class, () -> codec.decodeGateway(text));
    }

    @ParameterizedTest
    @ValueSource(strings = {"[[1]]", "[[1,\"z\"]]", "[[1,\"f\",\"NO_CODE\",\"m\"]]", "[[\"what\"]]", "[[0,\"p\",1,2]]", "[[1,\"e\",null]]",
            "[[1,\"e\",[\"NOWHERE\",1,1,1,1,1,1,1]]]"})
    void shouldRefuseWhatNoWorkerSays(String text) {
        assertThrows(WireException.class, () -> codec.decodeWorker(text));
    }
}
