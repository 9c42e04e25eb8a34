/** What tuning needs of who multiplies matrices. Any thread; knows nothing of ours. */
@NullMarked
package dev.tidestream.model.tuning.product;

import org.jspecify.annotations.NullMarked;
