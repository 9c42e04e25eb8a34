/**
 * Regular expressions, all matches of a text in time linear in it, in the
 * dialect of tokenizer.json (Oniguruma's default syntax). Knows nothing else of
 * ours.
 */
@NullMarked
package dev.tidestream.model.tokenizer.regex;

import org.jspecify.annotations.NullMarked;
