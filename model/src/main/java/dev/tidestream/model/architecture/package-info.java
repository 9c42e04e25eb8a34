/**
 * Architectures as data: what a model is made of ({@link dev.tidestream.model.architecture.Blueprint}), under which names a file has
 * its tensors ({@link dev.tidestream.model.architecture.TensorPlan}), and one class for each family that reads both out of a file's
 * metadata. Nothing is computed here; immutable, any thread. Must not import transformer, tied, tokenizer or sampling.
 */
@NullMarked
package dev.tidestream.model.architecture;

import org.jspecify.annotations.NullMarked;
