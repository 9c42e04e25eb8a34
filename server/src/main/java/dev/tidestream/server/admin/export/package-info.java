/**
 * A version of the weights as a file of another program's: GGUF or safetensors, made piece by piece of what is in memory. Knows neither
 * the store nor the builder.
 */
@NullMarked
package dev.tidestream.server.admin.export;

import org.jspecify.annotations.NullMarked;
