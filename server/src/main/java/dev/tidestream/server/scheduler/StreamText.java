package dev.tidestream.server.scheduler;

import java.util.function.IntPredicate;

import dev.tidestream.model.sampling.StopMatcher;
import dev.tidestream.model.tokenizer.IncrementalDetokenizer;

/** The text of one stream: whole characters only, nothing of a stop string, and whether the stream ends here. */
final class StreamText {
    private final IncrementalDetokenizer detokenizer;
    private final StopMatcher stopMatcher;
    private final IntPredicate endOfGeneration;

    StreamText(IncrementalDetokenizer detokenizer, StopMatcher stopMatcher, IntPredicate endOfGeneration) {
        this.detokenizer = detokenizer;
        this.stopMatcher = stopMatcher;
        this.endOfGeneration = endOfGeneration;
    }

    /** @param last whether the stream may have no more tokens, so that nothing is withheld any longer */
    StopMatcher.Result append(int token, boolean last) {
        boolean endToken = endOfGeneration.test(token);
        StopMatcher.Result result = stopMatcher.append(token, endToken ? "" : detokenizer.append(token));
        if (result.stopped() || !(endToken || last)) {
            return result;
        }
        StopMatcher.Result rest = stopMatcher.append(detokenizer.flush());
        String text = result.text() + rest.text() + (rest.stopped() ? "" : stopMatcher.flush());
        return new StopMatcher.Result(text, rest.stopped() || endToken);
    }
}
