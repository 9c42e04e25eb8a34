package dev.tidestream.server.resume;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import reactor.core.publisher.Flux;

import dev.tidestream.model.tied.HeadMode;
import dev.tidestream.protocol.ChatMessage;
import dev.tidestream.protocol.ClientMessage;
import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.protocol.FinishReason;
import dev.tidestream.protocol.WeightsPolicy;
import dev.tidestream.protocol.options.StreamOptions;
import dev.tidestream.server.engine.ChatPrompts;
import dev.tidestream.server.engine.Engine;
import dev.tidestream.server.engine.EngineException;
import dev.tidestream.server.engine.Evidence;
import dev.tidestream.server.engine.GenerateRequest;
import dev.tidestream.server.engine.Generation;
import dev.tidestream.server.engine.TokenDigest;
import dev.tidestream.server.engine.TokenEvent;
import dev.tidestream.server.engine.WaitingEngine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;

/** Streams that have receipts, and go on elsewhere: what their receipts say is true, or they have none. */
class ReceiptedStreamsTest extends ResumeFixture {
    private final AtomicBoolean full = new AtomicBoolean();

    private static ClientMessage.Generate receipted(WeightsPolicy weights) {
        return message(weights).with(StreamOptions.NONE.withReceipt(true));
    }

    private static ResumableStreams.Opened begun(ResumableStreams streams, int tokens) throws InterruptedException {
        ResumableStreams.Opened opened = streams.open(receipted(WeightsPolicy.PIN), "", "c", "c");
        Reader reader = Reader.of(opened.generation());
        reader.accepted();
        reader.tokens(tokens);
        reader.cancel();
        return opened;
    }

    /** Goes on behind a token, to another one or to the end. */
    private static List<TokenEvent.Token> goOn(ResumableStreams streams, ResumableStreams.Opened opened, int after, int tokens)
            throws InterruptedException {
        Reader reader = Reader.of(streams.resume(opened.handle(), "", after).generation());
        reader.accepted();
        List<TokenEvent.Token> got = reader.tokens(tokens);
        reader.cancel();
        return got;
    }

    private static TokenEvent.Finish finish(List<TokenEvent.Token> tokens) {
        TokenEvent.Finish finish = tokens.getLast().finish();
        assertNotNull(finish);
        return finish;
    }

    @Test
    void shouldSayInAnotherProcessWhatMadeAllTokens() throws Exception {
        ResumableStreams.Opened opened = begun(journaled(), 5);
        Evidence evidence = finish(goOn(restarted(), opened, 4, TOKENS)).evidence();
        assertNotNull(evidence);
        assertEquals(List.of(new Evidence.Span(0, TOKENS, version, "packed")), evidence.spans());
        assertEquals(TokenDigest.of("Once upon".chars().toArray()), evidence.promptSha256());
    }

    @Test
    void shouldSayNothingIfTheHeadIsAnother() throws Exception {
        ResumableStreams.Opened opened = begun(journaled(), 5);
        headMode = HeadMode.CACHED_TRANSPOSE;
        assertNull(finish(goOn(restarted(), opened, 4, TOKENS)).evidence());
    }

    /** Tokens of two heads are those of two heads, also when the first is back. */
    @Test
    void shouldSayNothingIfTheHeadWasAnotherInBetween() throws Exception {
        ResumableStreams.Opened opened = begun(journaled(), 5);
        headMode = HeadMode.CACHED_TRANSPOSE;
        goOn(restarted(), opened, 4, 10);
        headMode = HeadMode.PACKED;
        assertNull(finish(goOn(restarted(), opened, 14, TOKENS)).evidence());
    }

    @Test
    void shouldSayNothingIfThePromptIsAnother() throws Exception {
        ResumableStreams.Opened opened = begun(journaled(), 5);
        close();
        open.clear();
        Path file = temp.resolve("streams").resolve(opened.handle() + ".stream");
        String of = TokenDigest.of("Once upon".chars().toArray());
        String text = Files.readString(file);
        assertEquals(2, text.split(of, -1).length, text);
        Files.writeString(file, text.replace(of, TokenDigest.of(new int[] {1})));
        assertNull(finish(goOn(restarted(), opened, 4, TOKENS)).evidence());
    }

    /** A template with the date makes another prompt of the same messages the next day, but of a stream that goes on. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldGoOnWithThePromptOfItsDay(boolean receipt) throws Exception {
        AtomicLong days = new AtomicLong();
        chats = (messages, at) -> {
            LocalDateTime told = at == null ? LocalDateTime.of(2026, 12, 1, 23, 59).plusDays(days.incrementAndGet()) : at;
            return new ChatPrompts.Prompt((told + messages.getFirst().content()).chars().toArray(), told);
        };
        ResumableStreams streams = restarted();
        ClientMessage.Generate asked =
                new ClientMessage.Generate("a", null, List.of(new ChatMessage("user", "Hi")), false, null, TOKENS, SAMPLED,
                List.of(), 0, WeightsPolicy.PIN, OptionalInt.empty(), StreamOptions.NONE.withReceipt(receipt));
        ResumableStreams.Opened opened = streams.open(asked, "", "c", "c");
        Reader reader = Reader.of(opened.generation());
        LocalDateTime day = reader.accepted().renderedAt();
        assertNotNull(day);
        List<TokenEvent.Token> whole = reader.tokens(TOKENS);
        ResumableStreams.Opened left = streams.open(asked, "", "c", "c");
        Reader first = Reader.of(left.generation());
        assertNotEquals(day, first.accepted().renderedAt());
        first.tokens(5);
        List<TokenEvent.Token> again = goOn(restarted(), opened, 4, TOKENS);
        assertSame(whole.subList(5, TOKENS), again);
        Evidence evidence = finish(goOn(restarted(), left, 4, TOKENS)).evidence();
        assertEquals(receipt, evidence != null);
    }

    /** An engine that has room or not. */
    private Engine often() {
        return new Engine() {
            @Override
            public Generation generate(GenerateRequest request) {
                return new Asked(engine.generate(request), full);
            }

            @Override
            public Flux<Long> weightsVersions() {
                return engine.weightsVersions();
            }
        };
    }

    /** A stream that finds the engine full, or not, when it begins. */
    private record Asked(Generation generation, AtomicBoolean full) implements Generation {
        @Override
        public Flux<TokenEvent> events() {
            return Flux.defer(() -> full.get() ? Flux.error(new EngineException(ErrorCode.BUSY, "full")) : generation.events());
        }

        @Override
        public void stop() {
            generation.stop();
        }
    }

    private ResumableStreams restartedWith(Supplier<Engine> with) throws Exception {
        close();
        open.clear();
        epochs = epochs();
        engine = engine();
        return new ResumableStreams(with.get(), LIMITS, nowNs::get, journal());
    }

    private static TokenEvent.Finish end(ResumableStreams streams, ResumableStreams.Opened opened) throws InterruptedException {
        Reader reader = Reader.of(streams.resume(opened.handle(), "", TOKENS - 1).generation());
        reader.accepted();
        return assertInstanceOf(TokenEvent.Stopped.class, reader.next()).finish();
    }

    private static void assertEnded(boolean withReceipt, TokenEvent.Finish finish) {
        assertEquals(FinishReason.LENGTH, finish.reason());
        assertEquals(TOKENS, finish.usage().completionTokens());
        assertEquals(withReceipt, finish.evidence() != null);
    }

    /** The end of a stream is there whatever becomes of the run that is to say how it came to it. */
    @Test
    void shouldNotLoseTheEndForItsReceipt() throws Exception {
        ResumableStreams.Opened opened = begun(journaled(), TOKENS);
        full.set(true);
        ResumableStreams streams = restartedWith(this::often);
        assertEnded(false, end(streams, opened));
        Reader all = Reader.of(streams.resume(opened.handle(), "", -1).generation());
        assertEquals(ErrorCode.BUSY, all.error(EngineException.class).code());
        assertEnded(false, end(streams, opened));
        full.set(false);
        Reader.of(streams.resume(opened.handle(), "", TOKENS - 1).generation()).cancel(); // before its last token was made again
        goOn(streams, opened, -1, 7);
        assertEnded(true, end(streams, opened));
        full.set(true);
        assertEnded(true, end(streams, opened));
        assertEnded(false, end(restartedWith(this::often), opened));
    }

    @Test
    void shouldKeepTheEndInTheJournalWhileItRunsAgain() throws Exception {
        ResumableStreams.Opened opened = begun(journaled(), TOKENS);
        List<TokenEvent.Token> again = goOn(restarted(), opened, -1, 7);
        assertEquals(7, again.size());
        version = 4;
        ResumableStreams streams = restarted();
        assertEnded(false, end(streams, opened)); // its weights are gone
        Reader all = Reader.of(streams.resume(opened.handle(), "", -1).generation());
        all.request(1);
        assertEquals(ErrorCode.VERSION_GONE, all.error(EngineException.class).code());
        assertEnded(false, end(streams, opened));
    }

    @Test
    void shouldNotTakeAnotherStreamForTheSameOne() throws Exception {
        ResumableStreams.Opened opened = begun(journaled(), TOKENS);
        close();
        open.clear();
        Path file = temp.resolve("streams").resolve(opened.handle() + ".stream");
        Files.writeString(file, Files.readString(file).replace("\"Once upon\"", "\"Once udon\""));
        ResumableStreams streams = restarted();
        assertEnded(false, end(streams, opened));
        Reader all = Reader.of(streams.resume(opened.handle(), "", -1).generation());
        all.accepted();
        all.request(TOKENS);
        Object signal = all.last();
        while (signal instanceof TokenEvent.Token) {
            signal = all.last();
        }
        assertEquals(ErrorCode.REPLAY_GONE, assertInstanceOf(EngineException.class, signal).code());
        assertEnded(false, end(streams, opened));
    }

    /** While the model file is being read, a stream is somebody's, and can be stopped. */
    @Test
    void shouldBeStoppedBeforeItBegins() throws Exception {
        CompletableFuture<@Nullable Void> ready = new CompletableFuture<>();
        ResumableStreams streams = new ResumableStreams(new WaitingEngine(engine, () -> ready), LIMITS, nowNs::get);
        ResumableStreams.Opened opened = streams.open(receipted(WeightsPolicy.PIN), "", "c", "c");
        Reader reader = Reader.of(opened.generation());
        opened.generation().stop();
        nowNs.addAndGet(TimeUnit.SECONDS.toNanos(31));
        streams.sweep();
        assertEquals(1, streams.count(), "it is not idle");
        reader.request(1);
        ready.complete(null);
        assertInstanceOf(TokenEvent.Accepted.class, reader.last());
        assertEquals(FinishReason.CANCELLED, assertInstanceOf(TokenEvent.Stopped.class, reader.next()).finish().reason());
    }

    @Test
    void shouldBeIdleWhenItsClientHasGoneBeforeItBegins() {
        CompletableFuture<@Nullable Void> ready = new CompletableFuture<>();
        ResumableStreams streams = new ResumableStreams(new WaitingEngine(engine, () -> ready), LIMITS, nowNs::get);
        Reader.of(streams.open(receipted(WeightsPolicy.PIN), "", "c", "c").generation()).cancel();
        nowNs.addAndGet(TimeUnit.SECONDS.toNanos(31));
        streams.sweep();
        assertEquals(0, streams.count());
        ready.complete(null);
    }

    @Test
    void shouldGoOnOnlyWhenThereCanBeAReceipt() throws Exception {
        ResumableStreams.Opened opened = begun(journaled(), 5);
        CompletableFuture<@Nullable Void> ready = new CompletableFuture<>();
        ResumableStreams streams = restartedWith(() -> new WaitingEngine(often(), () -> ready));
        full.set(true);
        Reader reader = Reader.of(streams.resume(opened.handle(), "", 4).generation());
        reader.request(1);
        full.set(false); // it is not refused: nothing has begun
        ready.complete(null);
        assertInstanceOf(TokenEvent.Accepted.class, reader.last());
        assertNotNull(finish(reader.tokens(TOKENS)).evidence());
    }
}
