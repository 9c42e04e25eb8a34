@NullMarked
package dev.tidestream.server.safetensors;

import org.jspecify.annotations.NullMarked;
