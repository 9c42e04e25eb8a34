/** Tests of the tokenizers: golden vectors, oracles, hostile vocabularies. */
@NullMarked
package dev.tidestream.model.tokenizer;

import org.jspecify.annotations.NullMarked;
