/**
 * Parts of an update of many tensors: safetensors files in the words of Hugging Face or GGUF become changes of the tensors that the model
 * holds. Reads mapped files and the served model, writes payloads; worker threads only. Knows no HTTP.
 */
@NullMarked
package dev.tidestream.server.admin.transaction;

import org.jspecify.annotations.NullMarked;
