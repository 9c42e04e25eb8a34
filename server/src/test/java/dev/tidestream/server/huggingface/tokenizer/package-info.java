@NullMarked
package dev.tidestream.server.huggingface.tokenizer;

import org.jspecify.annotations.NullMarked;
