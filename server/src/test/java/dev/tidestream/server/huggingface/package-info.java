@NullMarked
package dev.tidestream.server.huggingface;

import org.jspecify.annotations.NullMarked;
