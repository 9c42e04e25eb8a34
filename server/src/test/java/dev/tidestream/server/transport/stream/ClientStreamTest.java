package dev.tidestream.server.transport.stream;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicInteger;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import reactor.core.publisher.Flux;

import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.protocol.FinishReason;
import dev.tidestream.protocol.Timing;
import dev.tidestream.protocol.Usage;
import dev.tidestream.server.engine.EngineException;
import dev.tidestream.server.engine.Generation;
import dev.tidestream.server.engine.TokenEvent;
import dev.tidestream.server.transport.common.Mailbox;

import static org.junit.jupiter.api.Assertions.assertEquals;

class ClientStreamTest {
    private static final TokenEvent.Finish FINISH =
            new TokenEvent.Finish(FinishReason.LENGTH, new Usage(1, 2), new Timing(0, 0, 0, 0));
    private static final List<TokenEvent> EVENTS = List.of(
            new TokenEvent.Accepted(1, 2, 3, "packed", 1),
            new TokenEvent.Progress(1, 2),
            new TokenEvent.Scored(List.of()),
            new TokenEvent.Token(0, 5, "a", 3, null, List.of(), null),
            new TokenEvent.Token(1, 6, "b", 3, null, List.of(), FINISH));

    private final List<String> told = new ArrayList<>();
    private final AtomicInteger ends = new AtomicInteger();
    private final AtomicInteger cancels = new AtomicInteger();
    private boolean writable = true;

    /** Writes down what it is told, and throws at one of them. */
    private final class Frames implements FrameMapper {
        private final String throwsAt;

        Frames(String throwsAt) {
            this.throwsAt = throwsAt;
        }

        private void tell(String what) {
            told.add(what);
            if (what.equals(throwsAt)) {
                throw new IllegalStateException("scripted: " + what);
            }
        }

        @Override
        public void accepted(TokenEvent.Accepted accepted) {
            tell("accepted");
        }

        @Override
        public void progress(TokenEvent.Progress progress) {
            tell("progress");
        }

        @Override
        public void scored(TokenEvent.Scored scored) {
            tell("scored");
        }

        @Override
        public void token(TokenEvent.Token token) {
            tell("token");
        }

        @Override
        public void finished(TokenEvent.Finish finish) {
            tell("finished");
        }

        @Override
        public void failed(ErrorCode code, String message) {
            tell("failed");
        }
    }

    private ClientStream begin(Flux<TokenEvent> events, String throwsAt) {
        Flux<TokenEvent> counted = events.doOnCancel(cancels::incrementAndGet);
        Generation generation = new Generation() {
            @Override
            public Flux<TokenEvent> events() {
                return counted;
            }

            @Override
            public void stop() {}
        };
        ClientStream.Outlet outlet = new ClientStream.Outlet() {
            @Override
            public boolean writable() {
                return writable;
            }

            @Override
            public void ended(ClientStream stream) {
                ends.incrementAndGet();
            }
        };
        ClientStream stream = new ClientStream(
                "s", OptionalInt.empty(), generation, new Mailbox(Runnable::run), outlet, new Frames(throwsAt), 32);
        stream.begin();
        return stream;
    }

    @Test
    void shouldTellEverythingInOrder() {
        begin(Flux.fromIterable(EVENTS), "");
        assertEquals(List.of("accepted", "progress", "scored", "token", "token", "finished"), told);
        assertEquals(1, ends.get());
    }

    /** A fault of ours: the client is told once, and the engine makes no more for it. */
    @ParameterizedTest
    @ValueSource(strings = {"accepted", "progress", "scored", "token", "finished"})
    void shouldEndOnceIfAFrameCannotBeMade(String throwsAt) {
        begin(Flux.concat(Flux.fromIterable(EVENTS), Flux.never()), throwsAt);
        assertEquals(throwsAt, told.get(told.size() - 2));
        assertEquals("failed", told.getLast());
        assertEquals(1, told.stream().filter("failed"::equals).count());
        assertEquals(1, ends.get());
        assertEquals(1, cancels.get());
    }

    @Test
    void shouldEndOnceIfNotEvenThatCanBeTold() {
        begin(Flux.error(new EngineException(ErrorCode.BUSY, "scripted")), "failed");
        assertEquals(List.of("failed"), told);
        assertEquals(1, ends.get());
    }

    /** Scores of a long prompt are data like tokens: who does not read gets no more of them. */
    @Test
    void shouldAskForNoMoreScoresThanTheSocketTakes() {
        writable = false;
        ClientStream stream = begin(Flux.concat(Flux.just(EVENTS.getFirst()), Flux.just(EVENTS.get(2)).repeat(999), Flux.never()), "");
        assertEquals(List.of("accepted"), told);
        writable = true;
        stream.ask();
        assertEquals(1001, told.size());
    }
}
