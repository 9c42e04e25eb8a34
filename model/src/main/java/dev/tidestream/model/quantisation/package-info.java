/**
 * Which formats weights are brought into when a model is loaded, and how a model is written as a file in other formats. Imports
 * {@code format},
 * {@code architecture}, {@code gguf} and {@code tensor}; never {@code transformer}, which stands on it.
 */
@NullMarked
package dev.tidestream.model.quantisation;

import org.jspecify.annotations.NullMarked;
