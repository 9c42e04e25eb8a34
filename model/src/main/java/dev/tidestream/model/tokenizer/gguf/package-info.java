/** Tokenizers as GGUF has them: metadata read into a {@link dev.tidestream.model.tokenizer.TokenizerSpec}, and written from one. */
@NullMarked
package dev.tidestream.model.tokenizer.gguf;

import org.jspecify.annotations.NullMarked;
