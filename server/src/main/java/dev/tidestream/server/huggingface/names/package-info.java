/**
 * What Hugging Face's libraries call the tensors of a model, and how those stand to GGUF's: names, order of rows, transposition. Data and
 * arithmetic; imports the JDK only.
 */
@NullMarked
package dev.tidestream.server.huggingface.names;

import org.jspecify.annotations.NullMarked;
