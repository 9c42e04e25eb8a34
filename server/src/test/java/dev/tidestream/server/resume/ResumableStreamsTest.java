package dev.tidestream.server.resume;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import dev.tidestream.model.tied.HeadMode;
import dev.tidestream.protocol.ClientMessage;
import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.protocol.SamplingOptions;
import dev.tidestream.protocol.WeightsPolicy;
import dev.tidestream.server.FakeLanguageModel;
import dev.tidestream.server.FakeTokenizer;
import dev.tidestream.server.engine.EngineConfig;
import dev.tidestream.server.engine.EngineException;
import dev.tidestream.server.engine.TokenEngine;
import dev.tidestream.server.engine.TokenEvent;
import dev.tidestream.server.epoch.CurrentEpoch;
import dev.tidestream.server.epoch.ModelEpoch;
import dev.tidestream.server.scheduler.TokenObserver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

/** Streams that go on elsewhere, on a real engine over a model that shows every token lost, repeated or misplaced. */
class ResumableStreamsTest {
    private static final SamplingOptions SAMPLED =
            new SamplingOptions(1f, 0, 1f, 0f, 1.2f, 0.3f, 0.1f, Map.of(0, -100f), OptionalLong.of(7)); // 0 would be the end
    private static final int TOKENS = 400;
    private static final ResumeLimits LIMITS = new ResumeLimits(Duration.ofSeconds(30), 4, 4 << 20, 1 << 20);
    private static final ResumeLimits FORGETFUL = new ResumeLimits(Duration.ofSeconds(30), 4, 4, 1 << 20);

    @TempDir
    Path temp;

    private final AtomicLong nowNs = new AtomicLong();
    private final List<AutoCloseable> open = new ArrayList<>();
    private long version = 3;
    private CurrentEpoch epochs = epochs();
    private TokenEngine engine = engine();

    private static FakeLanguageModel model(long version) {
        return new FakeLanguageModel(512, 32, version);
    }

    private CurrentEpoch epochs() {
        return new CurrentEpoch(new ModelEpoch(version, HeadMode.PACKED, model(version), () -> { }));
    }

    private TokenEngine engine() {
        EngineConfig d = EngineConfig.DEFAULT;
        EngineConfig impatient = new EngineConfig(
                d.maxSequences(), d.maxSequencesPerConnection(), 8 << 20, d.prefillChunkRows(), 0, d.prompts(), d.queue(), d.stalled());
        TokenEngine started = TokenEngine.start(impatient, new FakeTokenizer(), epochs, TokenObserver.NONE);
        open.add(started);
        return started;
    }

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable each : open.reversed()) {
            each.close();
        }
    }

    private ResumableStreams streams(ResumeLimits limits) {
        return new ResumableStreams(engine, limits, nowNs::get);
    }

    private ResumableStreams journaled() throws IOException {
        return new ResumableStreams(engine, LIMITS, nowNs::get, journal());
    }

    private JournalDirectory journal() throws IOException {
        JournalDirectory journal = new JournalDirectory(temp.resolve("streams"), LIMITS.maxJournalBytes(), "exact");
        open.add(journal);
        return journal;
    }

    /** The process ends and another begins. */
    private ResumableStreams restarted() throws Exception {
        close();
        open.clear();
        epochs = epochs();
        engine = engine();
        return journaled();
    }

    private static ClientMessage.Generate message(WeightsPolicy weights) {
        return new ClientMessage.Generate("a", "Once upon", false, null, TOKENS, SAMPLED, List.of(), 0, weights, OptionalInt.empty());
    }

    private static List<TokenEvent.Token> all(ResumableStreams streams) throws InterruptedException {
        Reader reader = Reader.of(streams.open(message(WeightsPolicy.PIN), "", "c").generation());
        assertEquals(7, reader.accepted().seed());
        return reader.tokens(TOKENS);
    }

    /** What must be equal of a token: all but what the last says of its way, timing and cached tokens. */
    private static List<Object> said(TokenEvent.Token token) {
        return List.of(token.seq(), token.token(), token.text(), token.weightsVersion(), String.valueOf(token.logprob()),
                token.finish() == null ? "" : token.finish().reason(), token.finish() == null ? "" : token.finish().usage().promptTokens(),
                token.finish() == null ? "" : token.finish().usage().completionTokens());
    }

    private static void assertSame(List<TokenEvent.Token> expected, List<TokenEvent.Token> actual) {
        assertEquals(expected.stream().map(ResumableStreamsTest::said).toList(), actual.stream().map(ResumableStreamsTest::said).toList());
    }

    @Test
    void shouldGoOnAfterEveryDropWithoutALostOrRepeatedToken() throws InterruptedException {
        ResumableStreams streams = streams(LIMITS);
        List<TokenEvent.Token> undisturbed = all(streams);
        ResumableStreams.Opened opened = streams.open(message(WeightsPolicy.PIN), "", "c");
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
        ResumableStreams.Opened opened = streams.open(message(WeightsPolicy.PIN), "", "c");
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
        ResumableStreams.Opened opened = streams.open(message(WeightsPolicy.PIN), "", "c");
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
        ResumableStreams.Opened opened = streams.open(message(WeightsPolicy.FOLLOW), "", "c");
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
        ResumableStreams.Opened opened = streams.open(message(WeightsPolicy.PIN), "", "c");
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
        ResumableStreams.Opened opened = streams.open(message(WeightsPolicy.PIN), "alice", "c");
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
            opened.add(streams.open(message(WeightsPolicy.PIN), "", "c"));
            readers.add(Reader.of(opened.getLast().generation()));
            readers.getLast().accepted();
        }
        assertEquals(ErrorCode.BUSY,
                assertThrows(EngineException.class, () -> streams.open(message(WeightsPolicy.PIN), "", "c")).code());
        readers.get(2).cancel();
        nowNs.addAndGet(1);
        readers.get(1).cancel();
        assertNotEquals(opened.get(2).handle(), streams.open(message(WeightsPolicy.PIN), "", "c").handle());
        assertEquals(ErrorCode.UNKNOWN_STREAM,
                assertThrows(EngineException.class, () -> streams.resume(opened.get(2).handle(), "", -1)).code());
        assertNotNull(streams.resume(opened.get(1).handle(), "", -1));
    }

    @ParameterizedTest
    @EnumSource(value = WeightsPolicy.class, names = {"PIN", "FOLLOW"})
    void shouldSurviveTheProcess(WeightsPolicy weights) throws Exception {
        ResumableStreams streams = journaled();
        List<TokenEvent.Token> undisturbed = all(streams);
        ResumableStreams.Opened opened = streams.open(message(weights), "alice", "c");
        Reader reader = Reader.of(opened.generation());
        reader.accepted();
        List<TokenEvent.Token> joined = new ArrayList<>(reader.tokens(50));
        while (joined.getLast().finish() == null) {
            reader = Reader.of(restarted().resume(opened.handle(), "alice", joined.getLast().seq()).generation());
            assertEquals(7, reader.accepted().seed());
            joined.addAll(reader.tokens(90));
        }
        assertSame(undisturbed, joined);
        ResumableStreams after = restarted();
        Reader end = Reader.of(after.resume(opened.handle(), "alice", TOKENS - 1).generation());
        assertEquals(3, end.accepted().weightsVersion());
        assertEquals(joined.getLast().finish(), assertInstanceOf(TokenEvent.Stopped.class, end.next()).finish());
    }

    /** A crash may lose the last tokens of the journal, or a part of a line. */
    @Test
    void shouldMakeAgainWhatTheJournalLost() throws Exception {
        ResumableStreams streams = journaled();
        List<TokenEvent.Token> undisturbed = all(streams);
        ResumableStreams.Opened pinned = streams.open(message(WeightsPolicy.PIN), "", "c");
        ResumableStreams.Opened following = streams.open(message(WeightsPolicy.FOLLOW), "", "c");
        for (ResumableStreams.Opened each : List.of(pinned, following)) {
            Reader reader = Reader.of(each.generation());
            reader.accepted();
            reader.tokens(20);
        }
        close();
        open.clear();
        for (ResumableStreams.Opened each : List.of(pinned, following)) {
            Path file = temp.resolve("streams").resolve(each.handle() + ".stream");
            List<String> lines = Files.readAllLines(file);
            Files.write(file, lines.subList(0, 2));
            Files.writeString(file, "{\"from\":0,\"tokens\":[" + undisturbed.getFirst().token() + "]}\n{\"from\":1,\"tok",
                    StandardOpenOption.APPEND);
        }
        ResumableStreams again = restarted();
        assertEquals(ErrorCode.REPLAY_GONE,
                assertThrows(EngineException.class, () -> again.resume(following.handle(), "", 19)).code());
        Reader reader = Reader.of(again.resume(pinned.handle(), "", 19).generation());
        reader.accepted();
        assertSame(undisturbed.subList(20, 60), reader.tokens(40));
    }

    @Test
    void shouldNotGoOnWithOtherWeights() throws Exception {
        ResumableStreams streams = journaled();
        ResumableStreams.Opened pinned = streams.open(message(WeightsPolicy.PIN), "", "c");
        Reader reader = Reader.of(pinned.generation());
        reader.accepted();
        reader.tokens(5);
        version = 4;
        Reader again = Reader.of(restarted().resume(pinned.handle(), "", 4).generation());
        again.request(1);
        assertEquals(ErrorCode.VERSION_GONE, again.error(EngineException.class).code());
    }

    @Test
    void shouldForgetFilesThatAreNoneAndThoseOfStreamsThatAreOver() throws Exception {
        ResumableStreams streams = journaled();
        ResumableStreams.Opened opened = streams.open(message(WeightsPolicy.PIN), "", "c");
        Reader reader = Reader.of(opened.generation());
        reader.accepted();
        reader.tokens(5);
        reader.cancel();
        Path directory = temp.resolve("streams");
        Files.writeString(directory.resolve("AAAAAAAAAAAAAAAAAAAAAA.stream"), "{\"journal\":1}\n[]\n");
        ResumableStreams again = restarted();
        assertEquals(1, again.count());
        nowNs.addAndGet(TimeUnit.SECONDS.toNanos(31));
        again.sweep();
        close();
        open.clear();
        try (Stream<Path> files = Files.list(directory)) {
            assertEquals(List.of(), files.toList());
        }
    }
}
