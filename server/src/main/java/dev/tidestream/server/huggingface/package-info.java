/**
 * Models as Hugging Face's libraries store them: a folder with {@code config.json} and safetensors files, translated into GGUF's words.
 * Sources: the configuration classes of the transformers project, and llama.cpp's converter for what its files have for them.
 */
@NullMarked
package dev.tidestream.server.huggingface;

import org.jspecify.annotations.NullMarked;
