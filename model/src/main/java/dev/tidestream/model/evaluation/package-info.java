/**
 * How good a model is at predicting a text. Imports {@code transformer} and {@code tensor}; one caller at a time, whose team
 * computes.
 */
@NullMarked
package dev.tidestream.model.evaluation;

import org.jspecify.annotations.NullMarked;
