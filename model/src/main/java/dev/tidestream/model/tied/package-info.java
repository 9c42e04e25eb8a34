/**
 * Both ends of a model, and the tied embedding above all: lookup and logits from one panel copy, or logits from a dense copy
 * beside it (head modes). Any thread. Must not import {@code gguf}, {@code tokenizer}, {@code transformer}, {@code sampling}, nor
 * ND4J itself: {@code model.nd4j} is the bridge.
 */
@NullMarked
package dev.tidestream.model.tied;

import org.jspecify.annotations.NullMarked;
