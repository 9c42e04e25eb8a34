/**
 * Tokenizers of Hugging Face folders: tokenizer.json and what stands beside it, tokenizer.model, or vocab.json with merges.txt, as a
 * {@code TokenizerSpec}. What is not understood is refused by key and value. Imports the JSON of protocol and {@code model.tokenizer} only.
 */
@NullMarked
package dev.tidestream.server.huggingface.tokenizer;

import org.jspecify.annotations.NullMarked;
