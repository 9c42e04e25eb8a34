/**
 * Regular expressions in time linear in the text, in the dialect of tokenizer.json (Oniguruma's default syntax). Knows nothing else of
 * ours.
 */
@NullMarked
package dev.tidestream.model.tokenizer.regex;

import org.jspecify.annotations.NullMarked;
