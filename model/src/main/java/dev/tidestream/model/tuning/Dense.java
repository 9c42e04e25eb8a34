package dev.tidestream.model.tuning;

/**
 * A matrix of float64, row-major. Mutable; one thread at a time.
 *
 * @param data {@code (rows, columns)}
 */
record Dense(int rows, int columns, double[] data) {

    static Dense zeros(int rows, int columns) {
        return new Dense(rows, columns, new double[Math.multiplyExact(rows, columns)]);
    }

    /** {@code this += other}. */
    void add(Dense other) {
        for (int i = 0; i < data.length; i++) {
            data[i] += other.data[i];
        }
    }

    Dense copy() {
        return new Dense(rows, columns, data.clone());
    }

    /** Columns {@code from} to {@code from + count} of all rows. */
    Dense columns(int from, int count) {
        Dense part = zeros(rows, count);
        for (int row = 0; row < rows; row++) {
            System.arraycopy(data, row * columns + from, part.data, row * count, count);
        }
        return part;
    }

    /** Adds a part to the columns from {@code from} on. */
    void addColumns(int from, Dense part) {
        for (int row = 0; row < rows; row++) {
            int at = row * columns + from;
            for (int i = 0; i < part.columns; i++) {
                data[at + i] += part.data[row * part.columns + i];
            }
        }
    }
}
