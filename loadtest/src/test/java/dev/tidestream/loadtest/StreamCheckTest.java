package dev.tidestream.loadtest;

import java.util.List;
import java.util.Locale;

import org.junit.jupiter.api.Test;

import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.protocol.FinishReason;
import dev.tidestream.protocol.ServerMessage;
import dev.tidestream.protocol.Timing;
import dev.tidestream.protocol.Usage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

class StreamCheckTest {
    private final StreamCheck check = new StreamCheck("s", 3, 1_000_000);

    @Test
    void shouldFindNothingWrongWithAGoodStream() {
        accepted();
        check.accept(new ServerMessage.Progress("s", 1, 2), 1_500_000);
        token(0, 7, 3_000_000);
        token(1, 7, 4_000_000);
        finished(2);
        assertEquals(List.of(), check.problems());
        assertTrue(check.ended());
        SmokeReport report = SmokeReport.of(List.of(check), 1_000_000, check.problems());
        assertEquals(2, report.tokens());
        assertEquals(2.0, report.firstTokenMs());
        assertEquals(2 / 0.003, report.tokensPerS(), 1e-6);
        assertTrue(report.toText(Locale.ROOT).startsWith("OK: 1 streams, 2 tokens, 666.7 tokens/s"));
        assertTrue(report.toJson().startsWith("{\"ok\":true,\"streams\":1,\"tokens\":2,"));
    }

    @Test
    void shouldNoticeALostToken() {
        accepted();
        token(0, 7, 2);
        token(2, 7, 3);
        finished(3);
        assertEquals(List.of("s: wrong order: seq=2, expected=1", "s: tokens lost: received=2, usage=3"), check.problems());
    }

    @Test
    void shouldNoticeAnotherVersion() {
        accepted();
        token(0, 8, 2);
        assertEquals(List.of("s: another weights version in a pinned stream: version=8, accepted=7"), check.problems());
    }

    @Test
    void shouldNoticeMissingAndSurplusFrames() {
        token(0, 0, 2);
        assertEquals(List.of("s: a token before accepted: seq=0"), check.problems());
        check.close("gone");
        token(1, 0, 3);
        assertEquals(3, check.problems().size());
        assertEquals("s: not finished after 1 tokens: gone", check.problems().get(1));
    }

    @Test
    void shouldReportAFailure() {
        check.accept(new ServerMessage.Failed("s", ErrorCode.BUSY, "full"), 2);
        assertEquals(List.of("s: busy: full"), check.problems());
        assertTrue(check.ended());
    }

    private void accepted() {
        check.accept(new ServerMessage.Accepted("s", 1, 2, 7, 3), 1_200_000);
    }

    private void token(int seq, long version, long nowNs) {
        check.accept(new ServerMessage.Token("s", seq, 5, "x", version, null, List.of()), nowNs);
    }

    private void finished(int tokens) {
        check.accept(
                new ServerMessage.Finished("s", FinishReason.LENGTH, new Usage(3, tokens), new Timing(0, 1, 2, 3)), 5_000_000);
    }
}
