@NullMarked
package dev.tidestream.server.huggingface.names;

import org.jspecify.annotations.NullMarked;
