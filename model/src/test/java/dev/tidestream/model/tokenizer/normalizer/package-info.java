@NullMarked
package dev.tidestream.model.tokenizer.normalizer;

import org.jspecify.annotations.NullMarked;
