package dev.tidestream.server.scheduler;

import java.util.List;

import org.junit.jupiter.api.Test;

import dev.tidestream.model.sampling.StopMatcher;
import dev.tidestream.model.sampling.StopMatcher.Result;
import dev.tidestream.server.FakeTokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;

class StreamTextTest {
    private static StreamText text(String stop) {
        FakeTokenizer tokenizer = new FakeTokenizer();
        return new StreamText(tokenizer.newDetokenizer(), new StopMatcher(List.of(stop)), tokenizer::isEndOfGeneration);
    }

    @Test
    void shouldGiveOutWhatWasWithheldWithTheEndToken() {
        StreamText text = text("abc");
        assertEquals(new Result("", false), text.append('a', false));
        assertEquals(new Result("", false), text.append('b', false));
        assertEquals(new Result("ab", true), text.append(0, false));
    }

    @Test
    void shouldGiveOutWhatWasWithheldWithTheLastToken() {
        StreamText text = text("abc");
        assertEquals(new Result("", false), text.append('a', false));
        assertEquals(new Result("ab", false), text.append('b', true));
    }

    @Test
    void shouldStopAtAStopStringEvenOnTheLastToken() {
        StreamText text = text("abc");
        assertEquals(new Result("x", false), text.append('x', false));
        text.append('a', false);
        text.append('b', false);
        assertEquals(new Result("", true), text.append('c', true));
    }
}
