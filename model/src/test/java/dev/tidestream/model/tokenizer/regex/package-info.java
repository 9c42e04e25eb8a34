@NullMarked
package dev.tidestream.model.tokenizer.regex;

import org.jspecify.annotations.NullMarked;
