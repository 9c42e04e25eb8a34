@NullMarked
package dev.tidestream.model.tokenizer.pretokenizer;

import org.jspecify.annotations.NullMarked;
