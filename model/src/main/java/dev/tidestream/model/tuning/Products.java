package dev.tidestream.model.tuning;

import dev.tidestream.model.tuning.product.MatrixProducts;

/** Products of {@link Dense} matrices, with the shapes that follow from their factors. */
final class Products {
    private final MatrixProducts products;

    Products(MatrixProducts products) {
        this.products = products;
    }

    /** {@code a * b}. */
    Dense product(Dense a, Dense b) {
        Dense out = Dense.zeros(a.rows(), b.columns());
        addProduct(1, a, b, out);
        return out;
    }

    /** {@code alpha * a * transposed(b)}. */
    Dense timesTransposed(double alpha, Dense a, Dense b) {
        Dense out = Dense.zeros(a.rows(), b.rows());
        addTimesTransposed(alpha, a, b, out);
        return out;
    }

    /** {@code out += alpha * a * b}. */
    void addProduct(double alpha, Dense a, Dense b, Dense out) {
        products.multiply(false, false, a.rows(), b.columns(), a.columns(), alpha, a.data(), b.data(), 1, out.data());
    }

    /** {@code out += alpha * a * transposed(b)}. */
    void addTimesTransposed(double alpha, Dense a, Dense b, Dense out) {
        products.multiply(false, true, a.rows(), b.rows(), a.columns(), alpha, a.data(), b.data(), 1, out.data());
    }

    /** {@code out += alpha * transposed(a) * b}. */
    void addTransposedTimes(double alpha, Dense a, Dense b, double[] out) {
        products.multiply(true, false, a.columns(), b.columns(), a.rows(), alpha, a.data(), b.data(), 1, out);
    }
}
