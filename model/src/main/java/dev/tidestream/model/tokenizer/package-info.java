/**
 * Text to token ids and back, exactly as the model was trained. Imports {@code gguf} and its own sub-packages only.
 */
@NullMarked
package dev.tidestream.model.tokenizer;

import org.jspecify.annotations.NullMarked;
