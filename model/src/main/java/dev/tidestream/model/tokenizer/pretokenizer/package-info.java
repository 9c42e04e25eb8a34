/**
 * Texts to the words within which tokens are put together: steps of tokenizer.json, and the names that GGUF has for them. Imports
 * {@code tokenizer.regex} only.
 */
@NullMarked
package dev.tidestream.model.tokenizer.pretokenizer;

import org.jspecify.annotations.NullMarked;
