package dev.tidestream.server.resume;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import reactor.core.publisher.Flux;

import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.protocol.WeightsPolicy;
import dev.tidestream.server.engine.Engine;
import dev.tidestream.server.engine.EngineException;
import dev.tidestream.server.engine.GenerateRequest;
import dev.tidestream.server.engine.Generation;
import dev.tidestream.server.engine.TokenEvent;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

/** Streams that go on in another process. */
class JournaledStreamsTest extends ResumeFixture {

    @ParameterizedTest
    @EnumSource(value = WeightsPolicy.class, names = {"PIN", "FOLLOW"})
    void shouldSurviveTheProcess(WeightsPolicy weights) throws Exception {
        ResumableStreams streams = journaled();
        List<TokenEvent.Token> undisturbed = all(streams);
        ResumableStreams.Opened opened = streams.open(message(weights), "alice", "c", "c");
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
        ResumableStreams.Opened pinned = streams.open(message(WeightsPolicy.PIN), "", "c", "c");
        ResumableStreams.Opened following = streams.open(message(WeightsPolicy.FOLLOW), "", "c", "c");
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
        ResumableStreams.Opened pinned = streams.open(message(WeightsPolicy.PIN), "", "c", "c");
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
        ResumableStreams.Opened opened = streams.open(message(WeightsPolicy.PIN), "", "c", "c");
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

    /** The engine is full when somebody comes back after a restart: that is no reason to be refused for ever. */
    @Test
    void shouldTryAgainAfterTheEngineWasBusy() throws Exception {
        ResumableStreams.Opened opened = journaled().open(message(WeightsPolicy.PIN), "", "c", "c");
        Reader reader = Reader.of(opened.generation());
        reader.accepted();
        List<TokenEvent.Token> joined = new ArrayList<>(reader.tokens(5));
        close();
        open.clear();
        JournalDirectory journal = journal();
        EngineException busy = new EngineException(ErrorCode.BUSY, "full");
        AtomicBoolean full = new AtomicBoolean(true);
        epochs = epochs();
        engine = engine();
        ResumableStreams streams = new ResumableStreams(new Engine() {
            @Override
            public Generation generate(GenerateRequest request) {
                return full.get() ? new Refused(busy) : engine.generate(request);
            }

            @Override
            public Flux<Long> weightsVersions() {
                return engine.weightsVersions();
            }
        }, LIMITS, nowNs::get, journal);
        assertEquals(ErrorCode.BUSY, Reader.of(streams.resume(opened.handle(), "", 4).generation()).error(EngineException.class).code());
        full.set(false);
        Reader again = Reader.of(streams.resume(opened.handle(), "", 4).generation());
        again.accepted();
        joined.addAll(again.tokens(TOKENS));
        assertSame(all(streams), joined);
    }

    private record Refused(EngineException why) implements Generation {
        @Override
        public Flux<TokenEvent> events() {
            return Flux.error(why);
        }

        @Override
        public void stop() {
            // it never ran
        }
    }

    /** The last token and its finish are one line: a torn one is lost as a whole, and made again. */
    @Test
    void shouldMakeTheEndAgainIfItsLineIsTorn() throws Exception {
        ResumableStreams streams = journaled();
        ResumableStreams.Opened opened = streams.open(message(WeightsPolicy.PIN), "", "c", "c");
        Reader reader = Reader.of(opened.generation());
        reader.accepted();
        List<TokenEvent.Token> tokens = reader.tokens(TOKENS);
        close();
        open.clear();
        Path file = temp.resolve("streams").resolve(opened.handle() + ".stream");
        String text = Files.readString(file);
        Files.writeString(file, text.substring(0, text.length() - 3));
        Reader again = Reader.of(restarted().resume(opened.handle(), "", TOKENS - 2).generation());
        again.accepted();
        assertSame(tokens.subList(TOKENS - 1, TOKENS), again.tokens(TOKENS));
    }
}
