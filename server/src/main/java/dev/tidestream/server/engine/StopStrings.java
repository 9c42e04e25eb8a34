package dev.tidestream.server.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

import dev.tidestream.model.sampling.StopMatcher;
import dev.tidestream.model.tokenizer.Tokenizer;
import dev.tidestream.model.tokenizer.Tokenizer.ControlToken;

/**
 * Stop strings of a request as a matcher knows them. A name of a control token in a stop string stands for that token, which has
 * no text, and for the same characters, if the model spells them; so such a string is looked for in both forms.
 */
final class StopStrings {
    private StopStrings() {}

    static StopMatcher matcher(List<String> stops, Tokenizer tokenizer) {
        List<int[]> symbols = new ArrayList<>();
        for (String stop : stops) {
            symbols.add(stop.chars().toArray());
            List<ControlToken> control = tokenizer.controlTokens(stop);
            if (!control.isEmpty()) {
                symbols.add(withControl(stop, control));
            }
        }
        return new StopMatcher(symbols, tokenizer::isControl);
    }

    private static int[] withControl(String stop, List<ControlToken> control) {
        IntStream.Builder symbols = IntStream.builder();
        int from = 0;
        for (ControlToken token : control) {
            stop.substring(from, token.start()).chars().forEach(symbols);
            symbols.add(StopMatcher.symbol(token.id()));
            from = token.end();
        }
        stop.substring(from).chars().forEach(symbols);
        return symbols.build().toArray();
    }
}
