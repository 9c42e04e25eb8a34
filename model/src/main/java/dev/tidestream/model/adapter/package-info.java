/**
 * Low-rank adapters (LoRA) of a model: their weights, and what they add to the products of the base weights, row by row of a batch.
 * Knows no files; owns no threads.
 */
@NullMarked
package dev.tidestream.model.adapter;

import org.jspecify.annotations.NullMarked;
