package dev.tidestream.server.huggingface.tokenizer;

import dev.tidestream.model.gguf.GgufException;
import dev.tidestream.model.tokenizer.TokenizerException;
import dev.tidestream.model.tokenizer.regex.Regex;
import dev.tidestream.model.tokenizer.regex.RegexSyntaxException;

/** Reads patterns: a regular expression, or a text to be found. */
final class PatternPart {
    private PatternPart() {}

    static Regex read(Part part) {
        part.only("String", "Regex");
        if (!part.at("String").isNull()) {
            return Regex.literal(part.text("String"));
        }
        String expression = part.text("Regex");
        try {
            return Regex.compile(expression);
        } catch (RegexSyntaxException e) {
            throw new TokenizerException(
                    "%s: %s, expression='%s'".formatted(part.at("Regex").place(), e.getMessage(), GgufException.quote(expression)));
        }
    }
}
