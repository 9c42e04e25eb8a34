/**
 * The bridge to ND4J and the OpenBLAS that comes with it: dense float32 layouts of a tied embedding, and products of dense
 * matrices. The only room with {@code org.nd4j} and {@code org.bytedeco}; none of their types is part of what it offers. Loads
 * ND4J, which takes about a second, when the first layout is built or the first product taken. Any thread; knows
 * {@code model.tensor}, of {@code model.patch} what a low-rank product is, and of {@code model.tuning} what a product is.
 */
@NullMarked
package dev.tidestream.model.nd4j;

import org.jspecify.annotations.NullMarked;
