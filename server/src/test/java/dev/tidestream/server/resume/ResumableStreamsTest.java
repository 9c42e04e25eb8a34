package dev.tidestream.server.resume;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

import org.junit.jupiter.api.Test;

import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.protocol.FinishReason;
import dev.tidestream.protocol.WeightsPolicy;
import dev.tidestream.server.engine.EngineException;
import dev.tidestream.server.engine.TokenEvent;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

/** Streams that go on on another connection of the same process. */
class ResumableStreamsTest extends ResumeFixture {

    @Test
    void shouldGoOnAfterEveryDropWithoutALostOrRepeatedToken() throws InterruptedException {
        ResumableStreams streams = streams(LIMITS);
        List<TokenEvent.Token> undisturbed = all(streams);
        ResumableStreams.Opened opened = streams.open(message(WeightsPolicy.PIN), "", "c", "c");
        Reader reader = Reader.of(opened.generation());
        reader.accepted();
        List<TokenEvent.Token> joined = new ArrayList<>(reader.tokens(3));
        for (int drop = 0; joined.getLast().finish() == null; drop++) {
            reader.request(drop % 5); // on their way when the connection goes
            reader.cancel();
            reader = Reader.of(streams.resume(opened.handle(), "", joined.getLast().seq()).generation());
            assertEquals(7, reader.accepted().seed());
            joined.addAll(reader.tokens(1 + drop % 40));
        }
        assertSame(undisturbed, joined);
    }

    @Test
    void shouldSendTheEndAgain() throws InterruptedException {
        ResumableStreams streams = streams(LIMITS);
        ResumableStreams.Opened opened = streams.open(message(WeightsPolicy.PIN), "", "c", "c");
        Reader reader = Reader.of(opened.generation());
        reader.accepted();
        List<TokenEvent.Token> tokens = reader.tokens(TOKENS);
        Reader again = Reader.of(streams.resume(opened.handle(), "", tokens.getLast().seq() - 2).generation());
        again.accepted();
        assertSame(tokens.subList(tokens.size() - 2, tokens.size()), again.tokens(TOKENS));
        Reader end = Reader.of(streams.resume(opened.handle(), "", tokens.getLast().seq()).generation());
        end.accepted();
        assertEquals(tokens.getLast().finish(), assertInstanceOf(TokenEvent.Stopped.class, end.next()).finish());
        assertEquals("completed", end.last());
    }

    @Test
    void shouldMakeAgainWhatIsNotKept() throws InterruptedException {
        ResumableStreams streams = streams(FORGETFUL);
        List<TokenEvent.Token> undisturbed = all(streams);
        ResumableStreams.Opened opened = streams.open(message(WeightsPolicy.PIN), "", "c", "c");
        Reader reader = Reader.of(opened.generation());
        reader.accepted();
        reader.tokens(300);
        for (int afterSeq : new int[] {9, 200, -1, 298}) {
            Reader again = Reader.of(streams.resume(opened.handle(), "", afterSeq).generation());
            again.accepted();
            assertSame(undisturbed.subList(afterSeq + 1, TOKENS), again.tokens(TOKENS));
        }
    }

    @Test
    void shouldRefuseWhatAFollowerCannotHaveAgain() throws InterruptedException {
        ResumableStreams streams = streams(FORGETFUL);
        ResumableStreams.Opened opened = streams.open(message(WeightsPolicy.FOLLOW), "", "c", "c");
        Reader reader = Reader.of(opened.generation());
        reader.accepted();
        List<TokenEvent.Token> tokens = reader.tokens(300);
        assertEquals(ErrorCode.REPLAY_GONE,
                assertThrows(EngineException.class, () -> streams.resume(opened.handle(), "", 9)).code());
        Reader again = Reader.of(streams.resume(opened.handle(), "", 289).generation());
        again.accepted();
        assertSame(tokens.subList(290, 300), again.tokens(10));
    }

    @Test
    void shouldTellWhoHadItThatItGoesOnElsewhere() throws InterruptedException {
        ResumableStreams streams = streams(LIMITS);
        ResumableStreams.Opened opened = streams.open(message(WeightsPolicy.PIN), "", "c", "c");
        Reader first = Reader.of(opened.generation());
        first.accepted();
        first.tokens(2);
        Reader second = Reader.of(streams.resume(opened.handle(), "", 1).generation());
        assertEquals(ErrorCode.RESUMED, first.error(EngineException.class).code());
        second.accepted();
        assertEquals(2, second.tokens(1).getFirst().seq());
        first.cancel(); // it hears of its end and leaves: that must not detach the second
        assertEquals(3, second.tokens(1).getFirst().seq());
    }

    @Test
    void shouldKeepAStreamForItsWindowAndItsOwner() throws InterruptedException {
        ResumableStreams streams = streams(LIMITS);
        ResumableStreams.Opened opened = streams.open(message(WeightsPolicy.PIN), "alice", "c", "c");
        Reader reader = Reader.of(opened.generation());
        reader.accepted();
        reader.tokens(2);
        assertEquals(ErrorCode.UNKNOWN_STREAM,
                assertThrows(EngineException.class, () -> streams.resume(opened.handle(), "bob", 1)).code());
        assertEquals(ErrorCode.INVALID_VALUE,
                assertThrows(EngineException.class, () -> streams.resume(opened.handle(), "alice", 2)).code());
        nowNs.addAndGet(TimeUnit.SECONDS.toNanos(31));
        streams.sweep(); // somebody has it
        assertEquals(1, streams.count());
        reader.cancel();
        nowNs.addAndGet(TimeUnit.SECONDS.toNanos(29));
        streams.sweep();
        streams.resume(opened.handle(), "alice", 1); // nobody subscribes
        nowNs.addAndGet(TimeUnit.SECONDS.toNanos(1));
        streams.sweep();
        assertEquals(0, streams.count());
        assertEquals(ErrorCode.UNKNOWN_STREAM,
                assertThrows(EngineException.class, () -> streams.resume(opened.handle(), "alice", 1)).code());
    }

    @Test
    void shouldGiveUpTheLongestForsakenForANewOne() throws InterruptedException {
        ResumableStreams streams = streams(LIMITS);
        List<ResumableStreams.Opened> opened = new ArrayList<>();
        List<Reader> readers = new ArrayList<>();
        for (int i = 0; i < LIMITS.maxStreams(); i++) {
            opened.add(streams.open(message(WeightsPolicy.PIN), "", "c", "c"));
            readers.add(Reader.of(opened.getLast().generation()));
            readers.getLast().accepted();
        }
        assertEquals(ErrorCode.BUSY,
                assertThrows(EngineException.class, () -> streams.open(message(WeightsPolicy.PIN), "", "c", "c")).code());
        readers.get(2).cancel();
        nowNs.addAndGet(1);
        readers.get(1).cancel();
        assertNotEquals(opened.get(2).handle(), streams.open(message(WeightsPolicy.PIN), "", "c", "c").handle());
        assertEquals(ErrorCode.UNKNOWN_STREAM,
                assertThrows(EngineException.class, () -> streams.resume(opened.get(2).handle(), "", -1)).code());
        assertNotNull(streams.resume(opened.get(1).handle(), "", -1));
    }

    @Test
    void shouldNotMakeACancelledStreamAgain() throws Exception {
        ResumableStreams streams = streams(FORGETFUL);
        ResumableStreams.Opened opened = streams.open(message(WeightsPolicy.PIN), "", "c", "c");
        Reader reader = Reader.of(opened.generation());
        reader.accepted();
        reader.tokens(300);
        opened.generation().stop();
        assertEquals(FinishReason.CANCELLED, assertInstanceOf(TokenEvent.Stopped.class, reader.next()).finish().reason());
        Reader again = Reader.of(streams.resume(opened.handle(), "", 9).generation());
        again.accepted();
        assertEquals(FinishReason.CANCELLED, assertInstanceOf(TokenEvent.Stopped.class, again.next()).finish().reason());
    }

    @Test
    void shouldBoundThePromptsThatItKeeps() throws Exception {
        ResumableStreams streams = streams(new ResumeLimits(Duration.ofSeconds(30), 4, 40, 1 << 20)); // a prompt takes 18
        ResumableStreams.Opened first = streams.open(message(WeightsPolicy.PIN), "", "c", "c");
        Reader reader = Reader.of(first.generation());
        reader.accepted();
        Reader.of(streams.open(message(WeightsPolicy.PIN), "", "c", "c").generation()).accepted();
        assertEquals(ErrorCode.BUSY,
                assertThrows(EngineException.class, () -> streams.open(message(WeightsPolicy.PIN), "", "c", "c")).code());
        reader.cancel();
        streams.open(message(WeightsPolicy.PIN), "", "c", "c");
        assertEquals(ErrorCode.UNKNOWN_STREAM,
                assertThrows(EngineException.class, () -> streams.resume(first.handle(), "", -1)).code());
    }
}
