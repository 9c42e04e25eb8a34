/**
 * Text to token ids and back, exactly as the model was trained. Imports {@code gguf} only.
 */
@NullMarked
package dev.tidestream.model.tokenizer;

import org.jspecify.annotations.NullMarked;
