package dev.tidestream.server.huggingface.tokenizer;

import java.util.function.Function;

import dev.tidestream.model.gguf.GgufException;
import dev.tidestream.model.tokenizer.TokenizerException;
import dev.tidestream.model.tokenizer.regex.Regex;
import dev.tidestream.model.tokenizer.regex.RegexSyntaxException;

/** Reads patterns: a regular expression, or a text to be found. */
final class PatternPart {
    private PatternPart() {}

    static Regex read(Part part) {
        part.only("String", "Regex");
        return part.at("String").isNull() ? read(part, "Regex", Regex::compile) : read(part, "String", Regex::literal);
    }

    /** A text to be found, which a field has. */
    static Regex literal(Part part, String field) {
        return read(part, field, Regex::literal);
    }

    private static Regex read(Part part, String field, Function<String, Regex> of) {
        String expression = part.text(field);
        try {
            return of.apply(expression);
        } catch (RegexSyntaxException e) {
            throw new TokenizerException(
                    "%s: %s, expression='%s'".formatted(part.at(field).place(), e.getMessage(), GgufException.quote(expression)));
        }
    }
}
