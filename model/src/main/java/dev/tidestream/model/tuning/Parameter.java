package dev.tidestream.model.tuning;

/**
 * A matrix that is trained. Its values are float32 numbers held as float64, so that what is written to a file is all of it.
 *
 * @param name within its run
 * @param index among the parameters of the run
 * @param values {@code (rows, columns)}; written between two steps only
 */
public record Parameter(String name, int index, int rows, int columns, double[] values) {

    Dense dense() {
        return new Dense(rows, columns, values);
    }
}
