/**
 * What happens to a text before it is cut: Unicode's normal forms, replacements, SentencePiece's tables. Imports {@code tokenizer.regex}
 * only.
 */
@NullMarked
package dev.tidestream.model.tokenizer.normalizer;

import org.jspecify.annotations.NullMarked;
