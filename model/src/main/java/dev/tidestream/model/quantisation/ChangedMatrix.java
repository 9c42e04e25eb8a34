package dev.tidestream.model.quantisation;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.tensor.panel.QuantisationError;

/**
 * What became of a matrix that was brought into another format.
 *
 * @param name of the tensor
 * @param from what the file has it in
 * @param to what it is in now
 */
public record ChangedMatrix(String name, TensorFormat from, TensorFormat to, QuantisationError error) {}
